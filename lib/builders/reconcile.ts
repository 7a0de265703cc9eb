/** Builder and ClusterBuilder: one image from stack, lifecycle and buildpacks, pushed when any of them changed (spec 04 §3, §8). */
import type { Builder, BuilderStatus } from '../api/builder.ts';
import type { ClusterBuilder } from '../api/cluster-builder.ts';
import { builderServiceAccount } from '../api/defaults.ts';
import { platformsAnnotation } from '../api/labels.ts';
import type { ConfigCache } from '../buildpacks/fetch-image.ts';
import { type Account, accountOf } from '../buildpacks/offers.ts';
import { behalfOf, type OpenRegistry } from '../buildpacks/opening.ts';
import { resolveExtensions } from '../buildpacks/resolve-extensions.ts';
import { resolveOrder } from '../buildpacks/resolve-order.ts';
import { digestOf } from '../oci/digest.ts';
import { withDigest } from '../oci/reference.ts';
import type { Registry } from '../oci/registry.ts';
import { isTrue } from '../reconcile/conditions.ts';
import { again, type Outcome, settled } from '../reconcile/outcome.ts';
import type { Pass, Reconciler } from '../reconcile/reconciler.ts';
import { stableJson } from '../text/stable-json.ts';
import { type BlobPlaces, blobPlaces } from './blob-places.ts';
import { type TargetsMemory, targetsMemory } from './buildpack-targets.ts';
import { type BuilderRecipe, createBuilder, recordOf } from './create.ts';
import { dependenciesOf, readInputs, type SharedBuilderSpec } from './inputs.ts';
import { keptImage } from './kept-image.ts';
import { createForPlatforms, sourceDigests } from './many-platforms.ts';
import { platformsWanted } from './platforms.ts';
import { type PushManner, pushImage } from './push-image.ts';
import { mannerIn, pushMemory } from './push-memory.ts';
import { signBuilder } from './sign.ts';
import { failedStatus, pushingStatus, succeededStatus } from './status.ts';
import { type BuilderIdentity, targetOf, withBoth } from './target.ts';

/** What the builder reconcilers need from outside. */
export interface BuilderPorts {
  readonly registryFor: OpenRegistry;
  readonly configs: ConfigCache;
  /** `v1.2.3 (git sha: abc)`: written into every builder, so that it is the same for all of one release. */
  readonly creatorVersion: string;
  /** How often tags are looked at again that no status follows, in seconds. */
  readonly pollSeconds: number;
}

/** Of the time that is left, the part for blobs; the rest is for manifests, signatures and the status. */
const shareForBlobs = 0.8;
/** Should the wake-up to ourselves be lost. */
const secondsUntilAgain = 60;

interface BuilderObject {
  readonly metadata: {
    readonly generation?: number | undefined;
    readonly annotations?: Readonly<Record<string, string>> | undefined;
  };
  readonly status?: BuilderStatus | undefined;
}

/** What decides over the image's bytes, as one digest: equal means that nothing would change. */
const fingerprintOf = (
  { stack, lifecycle, ...rest }: BuilderRecipe,
  account: Account,
  storeGeneration: number | undefined,
  sources: readonly (string | undefined)[],
): string => {
  const { conditions: _stackConditions, observedGeneration: stackGeneration, ...stackContent } = stack.status ?? {};
  const {
    conditions: _lifecycleConditions,
    observedGeneration: _generation,
    ...lifecycleContent
  } = lifecycle.status ?? {};
  return digestOf(
    stableJson({ stackContent, stackGeneration, lifecycleContent, rest, account, storeGeneration, sources }),
  );
};

/** Whether the images the status names are still under their tags. */
const isThere = async (
  { latestImage, stack }: BuilderStatus,
  { target }: BuilderRecipe,
  registry: Registry,
  signal: AbortSignal,
) => {
  const [builder, runImage] = await Promise.all(
    [target.builder, target.runImage].map((reference) => registry.headManifest(reference, { signal })),
  );
  return (
    builder !== undefined &&
    runImage !== undefined &&
    withBoth(target.builder, builder.digest) === latestImage &&
    withBoth(target.runImage, runImage.digest) === stack?.runImage
  );
};

/** One pass for a builder of either kind. */
const reconcileAny = async (
  spec: SharedBuilderSpec,
  identity: BuilderIdentity,
  account: Account,
  object: BuilderObject,
  pass: Pass,
  ports: BuilderPorts & { readonly places: BlobPlaces; readonly targets: TargetsMemory },
  write: (status: BuilderStatus) => Promise<unknown>,
): Promise<Outcome> => {
  const { kube, signal, now } = pass;
  await pass.dependOn(dependenciesOf(spec, identity, account));
  const { stack, lifecycle, store, catalogue, extensions } = await readInputs(kube, spec, identity, account);
  const recipe: BuilderRecipe = {
    stack,
    lifecycle,
    target: targetOf(spec.tag, identity),
    resolved: resolveOrder(spec.order ?? [], catalogue),
    ...((spec.orderExtensions ?? []).length > 0 && {
      extensions: resolveExtensions(spec.orderExtensions ?? [], extensions),
    }),
    additionalLabels: spec.additionalLabels ?? {},
    creatorVersion: ports.creatorVersion,
    platforms: platformsWanted(object.metadata.annotations?.[platformsAnnotation]),
  };
  const behalf = behalfOf(identity.kind, identity.namespace);
  const registry = await ports.registryFor(kube, account, { behalf, access: 'write' });

  const access = {
    registryFor: (owner: Account) => ports.registryFor(kube, owner, { behalf, access: 'read' }),
    configs: ports.configs,
    signal,
  };
  const { platforms } = recipe;
  // Statuses follow linux/amd64 alone; who wants more has to look at the tags.
  const sources = platforms === undefined ? [] : await sourceDigests(recipe, account, access);
  const done = platforms === undefined ? settled : again(ports.pollSeconds, 'tags may move');
  const fingerprint = fingerprintOf(recipe, account, store?.status?.observedGeneration, sources);
  const { status = {} } = object;
  const upToDate = isTrue({ status }, 'UpToDate') && status.observedGeneration === object.metadata.generation;
  if (upToDate && fingerprint === pass.memory && (await isThere(status, recipe, registry, signal))) return done;

  const made =
    platforms === undefined
      ? await createBuilder(recipe, account, access, ports.targets)
      : await createForPlatforms(recipe, platforms, account, access);
  const kept =
    made.content === undefined || withBoth(recipe.target.builder, made.builder.manifest.digest) === status.latestImage
      ? undefined
      : await keptImage(status, recipe.target.builder, made.content, { registry, configs: ports.configs, signal });
  const created = kept === undefined ? made : { ...made, builder: { ...made.builder, manifest: kept } };
  // After a failure one at a time: perhaps a large layer did not get through beside others.
  const manner: PushManner = mannerIn(pass.memory) ?? { blobs: pass.attempts > 0 ? 'alone' : 'together' };
  for (const image of kept === undefined ? [created.runImage, created.builder] : [created.runImage]) {
    const seconds = pass.remainingSeconds() * shareForBlobs;
    const result = await pushImage(registry, image, { signal, now, seconds, manner }, ports.places);
    if (result.state !== 'unfinished') continue;
    pass.remember(pushMemory(manner, result));
    await write(pushingStatus(object, result, now));
    await pass.wake(identity);
    return again(secondsUntilAgain, `${result.blobs} of ${result.of} layers pushed`);
  }
  const signed = withDigest(recipe.target.builder, created.builder.manifest.digest);
  const signaturePaths = await signBuilder(kube, account, registry, signed, signal);
  const record = { ...recordOf(recipe, store, created), ...(signaturePaths.length > 0 && { signaturePaths }) };
  await write(succeededStatus(object, record, now, recipe.resolved.duplicates));
  pass.remember(fingerprint);
  return done;
};

/** The builder of one namespace, made from its Buildpacks, all ClusterBuildpacks and a store. */
export const reconcileBuilder = (
  ports: BuilderPorts,
  places = blobPlaces(),
  targets = targetsMemory(),
): Reconciler<Builder> => ({
  kind: 'Builder',
  reconcile: (builder, pass) => {
    const { name, namespace = '' } = builder.metadata;
    const account = { namespace, serviceAccount: builderServiceAccount(builder.spec) };
    return reconcileAny(
      builder.spec,
      { kind: 'Builder', namespace, name },
      account,
      builder,
      pass,
      { ...ports, places, targets },
      (status) => pass.writeStatus(builder, status),
    );
  },
  statusOnFailure: (builder, failure, now) => failedStatus(builder, failure.message, now),
});

/** The builder of all namespaces, made from ClusterBuildpacks and a store only. */
export const reconcileClusterBuilder = (
  ports: BuilderPorts,
  places = blobPlaces(),
  targets = targetsMemory(),
): Reconciler<ClusterBuilder> => ({
  kind: 'ClusterBuilder',
  reconcile: (builder, pass) => {
    const identity = { kind: 'ClusterBuilder', namespace: '', name: builder.metadata.name } as const;
    const account = accountOf(builder.spec.serviceAccountRef);
    return reconcileAny(builder.spec, identity, account, builder, pass, { ...ports, places, targets }, (status) =>
      pass.writeStatus(builder, status),
    );
  },
  statusOnFailure: (builder, failure, now) => failedStatus(builder, failure.message, now),
});
