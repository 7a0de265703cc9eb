/** The SourceResolver of an Image: made, and kept equal to what the Image says (spec 02 §3.2). */
import type { Image } from '../api/image.ts';
import { pollIntervalAnnotation } from '../api/labels.ts';
import { sourceResolverName } from '../api/names.ts';
import type { SourceResolver } from '../api/source-resolver.ts';
import { ExpectedError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import { mergedLabels } from '../kube/merged-labels.ts';
import { controllerOf, controllerReference, isControlledBy } from '../kube/object.ts';
import type { Pass } from '../reconcile/reconciler.ts';
import { sameStatus } from '../reconcile/same-status.ts';
import { resolvedAlone } from '../sources/resolve-alone.ts';
import { resolvedStatus } from '../sources/status.ts';

/** The one annotation that a resolver takes from its Image. */
const annotationsFor = ({ metadata }: Image): { readonly annotations?: Readonly<Record<string, string>> } => {
  const interval = metadata.annotations?.[pollIntervalAnnotation];
  return interval === undefined ? {} : { annotations: { [pollIntervalAnnotation]: interval } };
};

/** Others' annotations stay; ours is as the Image says. */
const mergedAnnotations = (had: Readonly<Record<string, string>> | undefined, image: Image) => {
  const { [pollIntervalAnnotation]: _, ...others } = had ?? {};
  const merged = { ...others, ...annotationsFor(image).annotations };
  return Object.keys(merged).length === 0 ? {} : { annotations: merged };
};

/** The resolver an Image wants: its labels, its account, its source. */
export const wantedResolver = (image: Image): SourceResolver => ({
  apiVersion: 'kpack.io/v1alpha2',
  kind: 'SourceResolver',
  metadata: {
    name: sourceResolverName(image.metadata.name),
    namespace: image.metadata.namespace,
    ...(image.metadata.labels === undefined ? {} : { labels: image.metadata.labels }),
    ...annotationsFor(image),
    ownerReferences: [controllerReference(image)],
  },
  spec: { serviceAccount: image.spec.serviceAccountName, source: image.spec.source },
});

/** What is there, made equal to `wanted` where it is not. @throws ExpectedError when it is another Image's */
const adjusted = async (
  exists: SourceResolver,
  wanted: SourceResolver,
  image: Image,
  kube: KubeClient,
): Promise<SourceResolver> => {
  const owned = isControlledBy(exists, image);
  if (!owned && controllerOf(exists) !== undefined)
    throw new ExpectedError(
      `SourceResolver ${wanted.metadata.name} exists but does not belong to this Image: it is waited for until it is gone`,
    );
  const interval = wanted.metadata.annotations?.[pollIntervalAnnotation];
  const labels = mergedLabels(exists, wanted.metadata.labels);
  const same =
    sameStatus(exists.spec, wanted.spec) &&
    sameStatus(exists.metadata.labels ?? {}, labels ?? {}) &&
    exists.metadata.annotations?.[pollIntervalAnnotation] === interval;
  if (same && owned) return exists;
  const { ownerReferences = [], annotations, ...kept } = exists.metadata;
  const owners = owned ? ownerReferences : [...ownerReferences, controllerReference(image)];
  return kube.replace({
    ...exists,
    metadata: {
      ...kept,
      ...mergedAnnotations(annotations, image),
      labels,
      ownerReferences: owners,
    },
    spec: wanted.spec,
  });
};

/** The resolver, and whether this very pass made it. */
export interface EnsuredResolver {
  /** As it is, or as it is just becoming. */
  readonly resolver: SourceResolver;
  readonly made: boolean;
  /** Ends when the API server has it so: whoever goes on meanwhile waits for that before the pass ends. */
  readonly stored: Promise<SourceResolver>;
}

const asStored = (resolver: SourceResolver, made: boolean): EnsuredResolver => ({
  resolver,
  made,
  stored: Promise.resolve(resolver),
});

/** Says what a resolver that was just made resolves to. That somebody wrote it meanwhile means that it has been said. */
const storeStatus = async (made: SourceResolver, resolved: SourceResolver, pass: Pass): Promise<SourceResolver> => {
  try {
    const stored = await pass.kube.replaceStatus<SourceResolver>(resolved);
    await pass.settleChild({ ...stored, kind: made.kind }, [made]);
    return stored;
  } catch (error) {
    if (isKubeError(error, 'conflict')) return made;
    throw error;
  }
};

/**
 * A resolver that was just made, resolved in the same pass if nobody has to be asked; its own pass does it, or has done it, otherwise. What it
 * resolves to is known at once, so nobody need wait until it is stored: a pass that dies before leaves that to the resolver's own.
 */
const resolvedAtOnce = async (made: SourceResolver, pass: Pass): Promise<EnsuredResolver> => {
  const source = resolvedAlone(made);
  if (source === undefined) {
    await pass.handOver(made);
    return asStored(made, true);
  }
  const resolver = { ...made, status: resolvedStatus(made, source, undefined, pass.now) };
  const stored = storeStatus(made, resolver, pass);
  // Whoever waits hears of a failure; a pass that fails for another reason first does not wait.
  stored.catch(() => undefined);
  return { resolver, made: true, stored };
};

/**
 * Creates or updates it; gives it as the API server has it now. After a change of its spec it is not Ready until it was looked at.
 * One that nobody controls (its Image was deleted with `--cascade=orphan`) becomes ours; another Image's is waited for.
 */
export const ensureSourceResolver = async (image: Image, pass: Pass): Promise<EnsuredResolver> => {
  const { kube } = pass;
  const wanted = wantedResolver(image);
  const { name, namespace = '' } = wanted.metadata;
  const make = async (): Promise<EnsuredResolver> => {
    const made = await kube.create(wanted);
    return resolvedAtOnce({ ...made, kind: wanted.kind }, pass);
  };
  // There can hardly be one: it is looked at only if making it is refused.
  if (pass.isFirst)
    try {
      return await make();
    } catch (error) {
      if (!isKubeError(error, 'already-exists')) throw error;
    }
  const exists = await kube.get<SourceResolver>({ kind: 'SourceResolver', namespace, name });
  if (exists === undefined) return make();
  const ours = await adjusted(exists, wanted, image, kube);
  const isSaid = ours !== exists || ours.status?.conditions !== undefined || resolvedAlone(ours) === undefined;
  // A pass that made it did not come to say what it resolves to, or the answer to the POST was lost.
  if (!isSaid) return resolvedAtOnce(ours, pass);
  return asStored(ours, false);
};
