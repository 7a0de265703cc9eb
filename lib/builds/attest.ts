/**
 * Provenance of an image that was built, made and signed here and not in the pod: the pod belongs to the tenant, the system's key does
 * not (DESIGN §3.22; spec 02 §6.7). What can never be attested is said in the condition; the Build has succeeded all the same.
 */
import type { Namespace, Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../api/build.ts';
import { shownSource } from '../api/shown-source.ts';
import { behalfOf, type OpenRegistry } from '../buildpacks/opening.ts';
import { ExpectedError, PermanentError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/object.ts';
import { parseReference, parseRepository, printRepository } from '../oci/reference.ts';
import type { Pass } from '../reconcile/reconciler.ts';
import { pushAttestation } from '../signing/attestation.ts';
import { sealEnvelope } from '../signing/dsse.ts';
import {
  dependency,
  provenanceStatement,
  provenanceType,
  type ResourceDescriptor,
  sourceOfImage,
  statementMediaType,
  type VersionedObject,
} from '../signing/provenance.ts';
import { type AccountName, accountSecrets, signersOf } from './attest-keys.ts';
import type { Images } from './images-port.ts';
import { accountOf, builderOf } from './inputs/builder-of.ts';
import type { BuildMetadata } from './metadata.ts';
import { completionStatus, initStatuses } from './steps.ts';

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

/** Failed passes after which the Build is finished without: minutes where somebody would have to act, half of one otherwise. */
const patience = { slow: 3, soon: 6 } as const;

const versioned = ({ metadata }: KubeObject): VersionedObject => ({
  name: metadata?.name ?? '',
  resourceVersion: metadata?.resourceVersion ?? '',
});

/** The builder image that ran: as the pod names it, since a builder may have moved on; as the Build names it when no pod ran. */
const builderImage = async (build: Build, pod: Pod | undefined, kube: KubeClient) => {
  const ran = [...(pod?.spec?.initContainers ?? []), ...(pod?.spec?.containers ?? [])].find(
    ({ name }) => name === 'detect',
  )?.image;
  const { image, account } = await builderOf(build, kube);
  return { image: ran ?? image, account };
};

const endOf = (pod: Pod): string | undefined => {
  const ended = completionStatus(pod)?.state?.terminated;
  return ended?.exitCode === 0 ? ended.finishedAt : undefined;
};

const startOf = (pod: Pod | undefined): string | undefined => {
  const prepared = pod === undefined ? undefined : initStatuses(pod).find(({ name }) => name === 'prepare');
  const ended = prepared?.state?.terminated;
  return ended?.exitCode === 0 ? ended.startedAt : undefined;
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
  const [system, own] = await Promise.all([
    accountSecrets(kube, ports.systemAccount),
    accountSecrets(kube, { namespace, name: build.spec.serviceAccountName }),
  ]);
  const secrets = [...system.secrets, ...own.secrets];
  const signers = await signersOf(secrets);
  const named = await kube.get<Namespace>({ kind: 'Namespace', namespace: '', name: namespace });
  const builder = await builderImage(build, pod, kube);
  const [app, builderFacts] = await Promise.all([
    images.read(made.latestImage, accountOf(build), pass),
    images.read(builder.image, builder.account, pass),
  ]);
  const object = (name: string, found: KubeObject | undefined): readonly ResourceDescriptor[] =>
    found === undefined ? [] : [dependency(name, versioned(found))];
  const image = parseReference(made.latestImage);
  if (image.digest === undefined) throw new PermanentError('', `${made.latestImage} has no digest`);
  const statement = provenanceStatement({
    subject: { repository: printRepository(image), digest: image.digest },
    externalParameters: { ...build.spec, source: shownSource(build.spec.source) },
    internalParameters: { builderImage: builder.image, ...ports.internalParameters },
    source: sourceOfImage(app.labels),
    builder: {
      repository: printRepository(parseRepository(builder.image)),
      digest: builderFacts.digest,
      labels: builderFacts.labels,
    },
    lifecycleVersion: made.lifecycleVersion,
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
    startedOn: startOf(pod),
    finishedOn: pod === undefined ? pass.now.toISOString().replace(/\.\d+Z$/, 'Z') : endOf(pod),
  });
  const envelope = sealEnvelope(statementMediaType, statement, signers);
  const opening = { behalf: behalfOf('Build', namespace), access: 'write' } as const;
  const registry = await ports.registryFor(kube, accountOf(build), opening);
  const digest = await pushAttestation(registry, { image, envelope, predicateType: provenanceType }, { signal });
  return `${printRepository(image)}@${digest}`;
};

/** Attests what was built. @throws ExpectedError for as long as trying again may help */
export const attested = async (
  build: Build,
  pod: Pod | undefined,
  made: BuildMetadata,
  images: Images,
  ports: AttestPorts,
  pass: Pass,
): Promise<Attested> => {
  try {
    return { image: await attest(build, pod, made, images, ports, pass) };
  } catch (error) {
    const isOver =
      error instanceof PermanentError || (error instanceof ExpectedError && pass.attempts >= patience[error.pace]);
    if (!isOver) throw error;
    return { problem: `the image was built and pushed, but not attested: ${error.message}` };
  }
};
