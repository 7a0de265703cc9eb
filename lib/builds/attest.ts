/**
 * Provenance of an image that was built, made and signed here and not in the pod: the pod belongs to the tenant, the system's key does
 * not (DESIGN §3.22, §3.28; spec 02 §6.7). It says only what the spec, our own step, the node and the registry say. What can never be
 * attested is said in the condition; the Build has succeeded all the same.
 */
import type { Namespace, Pod } from 'kubernetes-types/core/v1.d.ts';
import * as v from 'valibot';
import type { Build } from '../api/build.ts';
import { behalfOf, type OpenRegistry } from '../buildpacks/opening.ts';
import { ExpectedError, PermanentError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/object.ts';
import {
  type DigestReference,
  parseReference,
  parseRepository,
  printRepository,
  sameRepository,
  withDigest,
} from '../oci/reference.ts';
import type { Pass } from '../reconcile/reconciler.ts';
import { pushAttestation } from '../signing/attestation.ts';
import { sealEnvelope } from '../signing/dsse.ts';
import {
  dependency,
  provenanceStatement,
  provenanceType,
  type ResourceDescriptor,
  statementMediaType,
  type VersionedObject,
} from '../signing/provenance.ts';
import { type AccountName, accountSecrets, signersOf } from './attest-keys.ts';
import type { Images } from './images-port.ts';
import { accountOf, builderOf } from './inputs/builder-of.ts';
import { prepareStatus, previousImage, sourceMaterial } from './material.ts';
import { type BuildMetadata, parseBuildMetadata } from './metadata.ts';
import { firstTag } from './pod/build-facts.ts';
import { imagesRun } from './ran.ts';
import { resultTag } from './result.ts';
import { shownSpec } from './shown-spec.ts';
import { completionStatus } from './steps.ts';

/** What attesting needs. */
export interface AttestPorts {
  /** The account whose annotated keys sign for the installation, in the cluster of the Build. */
  readonly systemAccount: AccountName;
  readonly internalParameters: Readonly<Record<string, string | boolean>>;
  readonly release: string;
  readonly registryFor: OpenRegistry;
}

/** The attestation with its digest, or why there is none. */
export type Attested = { readonly image: string } | { readonly problem: string };

const builderMetadataLabel = 'io.buildpacks.builder.metadata';
const builderMetadata = v.object({ lifecycle: v.object({ version: v.string() }) });

/** Failed passes after which the Build is finished without: minutes where somebody would have to act, half of one otherwise. */
const patience = { slow: 3, soon: 6 } as const;

const versioned = ({ metadata }: KubeObject): VersionedObject => ({
  name: metadata?.name ?? '',
  resourceVersion: metadata?.resourceVersion ?? '',
});

/** How the image came to be, as far as it is known: its pod, which is the one that was made; a rebase without a pod; or the pod is gone. */
export type Maker = Pod | 'registry' | 'gone';

/** The builder image. What ran is what the pod's steps ran, as a builder may have moved on, and a tag; where no builder ran it is the Build's. */
const builderImage = async (build: Build, ran: ReadonlyMap<string, string>, kube: KubeClient) => {
  const { image, account } = await builderOf(build, kube);
  return { image: ran.get('detect') ?? image, account };
};

const endOf = (pod: Pod): string | undefined => {
  const ended = completionStatus(pod)?.state?.terminated;
  return ended?.exitCode === 0 ? ended.finishedAt : undefined;
};

const startOf = (pod: Pod): string | undefined => {
  const ended = prepareStatus(pod)?.state?.terminated;
  return ended?.exitCode === 0 ? ended.startedAt : undefined;
};

/** The image as the last step names it. A tag alone does not say whose its image is: whoever may push moves it. @throws PermanentError */
const imageOf = (pod: Pod): string => {
  const said = parseBuildMetadata(completionStatus(pod)?.state?.terminated?.message);
  if (said === undefined) throw new PermanentError('', 'the step completion does not say which image it made');
  return said.latestImage;
};

/** What pod or rebase know; nothing of it is taken from files or labels that the application's code can write. @throws PermanentError */
const evidenceOf = (build: Build, pod: Pod | undefined, made: BuildMetadata, now: Date) => {
  if (pod === undefined)
    return {
      said: made.latestImage,
      ran: new Map<string, string>(),
      material: previousImage(build),
      startedOn: undefined,
      finishedOn: now.toISOString().replace(/\.\d+Z$/, 'Z'),
    };
  const ran = imagesRun(pod);
  return {
    said: imageOf(pod),
    ran,
    material: ran.has('rebase') ? previousImage(build) : sourceMaterial(build, pod),
    startedOn: startOf(pod),
    finishedOn: endOf(pod),
  };
};

/** The image that the pod says it made, when the Build's tag says so too. @throws PermanentError */
const subjectOf = async (build: Build, said: string, images: Images, pass: Pass): Promise<DigestReference> => {
  const image = parseReference(said);
  const tag = resultTag(build);
  const { digest } = await images.read(tag, accountOf(build), pass);
  if (image.digest === undefined || image.digest !== digest || !sameRepository(image, parseRepository(firstTag(build))))
    throw new PermanentError('', `${tag} holds ${digest}, and the pod says that it made ${said}`);
  return withDigest(image, image.digest);
};

/** The lifecycle's version, as the builder says it: the image's own label is written from files of the build. */
const lifecycleVersion = (labels: Readonly<Record<string, string>>): string => {
  try {
    return v.parse(builderMetadata, JSON.parse(labels[builderMetadataLabel] ?? '{}')).lifecycle.version;
  } catch {
    return '';
  }
};

/** `https://kpack.io/<namespace>/<build>/<pod>@<node>`; a rebase in the registry has neither pod nor node. */
const invocationIdOf = ({ metadata }: Build, pod: Pod | undefined): string => {
  const build = `https://kpack.io/${metadata.namespace ?? ''}/${metadata.name}`;
  return pod === undefined ? build : `${build}/${pod.metadata?.name ?? ''}@${pod.spec?.nodeName ?? ''}`;
};

const attest = async (
  build: Build,
  pod: Pod | undefined,
  made: BuildMetadata,
  images: Images,
  ports: AttestPorts,
  pass: Pass,
): Promise<string> => {
  const { kube, signal } = pass;
  const namespace = build.metadata.namespace ?? '';
  const { said, ran, material, startedOn, finishedOn } = evidenceOf(build, pod, made, pass.now);
  const [system, own] = await Promise.all([
    accountSecrets(kube, ports.systemAccount),
    accountSecrets(kube, { namespace, name: build.spec.serviceAccountName }),
  ]);
  const secrets = [...system.secrets, ...own.secrets];
  const signers = await signersOf(secrets);
  const named = await kube.get<Namespace>({ kind: 'Namespace', namespace: '', name: namespace });
  const builder = await builderImage(build, ran, kube);
  const [image, builderFacts] = await Promise.all([
    subjectOf(build, said, images, pass),
    images.read(builder.image, builder.account, pass),
  ]);
  const object = (name: string, found: KubeObject | undefined): readonly ResourceDescriptor[] =>
    found === undefined ? [] : [dependency(name, versioned(found))];
  const statement = provenanceStatement({
    subject: { repository: printRepository(image), digest: image.digest },
    externalParameters: shownSpec(build.spec),
    internalParameters: { builderImage: builder.image, ...ports.internalParameters },
    material,
    builder: {
      repository: printRepository(parseRepository(builder.image)),
      digest: builderFacts.digest,
      labels: builderFacts.labels,
    },
    lifecycleVersion: lifecycleVersion(builderFacts.labels),
    release: ports.release,
    isSigned: signers.length > 0,
    dependencies: [
      ...object('Namespace', named),
      ...object('Build', build),
      ...object('Pod', pod),
      ...object('ServiceAccount', own.account),
      ...(secrets.length === 0 ? [] : [dependency('Secrets', secrets.map(versioned))]),
    ],
    invocationId: invocationIdOf(build, pod),
    startedOn,
    finishedOn,
  });
  const envelope = sealEnvelope(statementMediaType, statement, signers);
  const opening = { behalf: behalfOf('Build', namespace), access: 'write' } as const;
  const registry = await ports.registryFor(kube, accountOf(build), opening);
  const digest = await pushAttestation(registry, { image, envelope, predicateType: provenanceType }, { signal });
  return `${printRepository(image)}@${digest}`;
};

const notAttested = (why: string): Attested => ({
  problem: `the image was built and pushed, but not attested: ${why}`,
});

/** Attests what was built. @throws ExpectedError for as long as trying again may help */
export const attested = async (
  build: Build,
  maker: Maker,
  made: BuildMetadata,
  images: Images,
  ports: AttestPorts,
  pass: Pass,
): Promise<Attested> => {
  if (maker === 'gone') return notAttested('its pod is gone, and nothing else says that it made this image');
  try {
    return { image: await attest(build, maker === 'registry' ? undefined : maker, made, images, ports, pass) };
  } catch (error) {
    const isOver =
      error instanceof PermanentError || (error instanceof ExpectedError && pass.attempts >= patience[error.pace]);
    if (!isOver) throw error;
    return notAttested(error.message);
  }
};
