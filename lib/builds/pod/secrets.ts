/** From Secrets to volumes, mounts and flags of the step programs (spec 03 §6). */
import type { Volume, VolumeMount } from 'kubernetes-types/core/v1.d.ts';
import {
  blobAnnotation as blob,
  cosignDockerMediaTypesAnnotation,
  cosignRepositoryAnnotation,
  dockerAnnotation as docker,
  gitAnnotation as git,
} from '../../api/labels.ts';
import type { BuildSecret } from './context.ts';

/** A set of Secrets as one container sees it. */
export interface MountedSecrets {
  readonly volumes: readonly Volume[];
  readonly mounts: readonly VolumeMount[];
  readonly args: readonly string[];
}

const secretsPath = '/var/build-secrets';

const value = (secret: BuildSecret, annotation: string): string => secret.annotations[annotation] ?? '';
const has = (secret: BuildSecret, annotation: string): boolean => value(secret, annotation) !== '';

/** Which secrets a container is given. */
export type SecretFilter = (secret: BuildSecret) => boolean;

/** Whether the annotation for git can name a host: with an equals sign it names none, and the flag for it would stop the step (02#214). */
const namesGitHost = (secret: BuildSecret): boolean => has(secret, git) && !value(secret, git).includes('=');

/** Credentials for registries: all that a rebase and the completion need. */
export const isRegistrySecret: SecretFilter = (secret) =>
  has(secret, docker) || secret.type === 'kubernetes.io/dockercfg' || secret.type === 'kubernetes.io/dockerconfigjson';

/** Credentials for sources and registries: what a build needs; blob ones only when the source asks for them. */
export const isBuildSecret =
  (blobAuth: string | undefined): SecretFilter =>
  (secret) =>
    namesGitHost(secret) || (blobAuth === 'secret' && has(secret, blob)) || isRegistrySecret(secret);

/** The flag that tells a step program how to read this secret; undefined when it would not know. First match wins (spec 03 §6.1). */
const flagFor = (secret: BuildSecret): string | undefined => {
  const { name, type } = secret;
  if (type === 'kubernetes.io/basic-auth' && has(secret, docker))
    return `-basic-docker=${name}=${value(secret, docker)}`;
  if (type === 'kubernetes.io/dockerconfigjson') return `-dockerconfig=${name}`;
  if (type === 'kubernetes.io/dockercfg') return `-dockercfg=${name}`;
  if (type === 'kubernetes.io/basic-auth' && namesGitHost(secret)) return `-basic-git=${name}=${value(secret, git)}`;
  if (type === 'kubernetes.io/ssh-auth' && !value(secret, git).includes('='))
    return `-ssh-git=${name}=${value(secret, git)}`;
  if (has(secret, blob)) return `-blob=${name}=${value(secret, blob)}`;
  return undefined;
};

/**
 * Its flags for a container. A login that is annotated for a registry and for a git host is for both where both are wanted: the source is looked up
 * with it, so it has to be fetched with it too.
 */
const flagsOf = (secret: BuildSecret, accepts: SecretFilter): readonly string[] => {
  if (!accepts(secret)) return [];
  const { [docker]: _, ...others } = secret.annotations;
  const forGit = { ...secret, annotations: others };
  const isBoth = secret.type === 'kubernetes.io/basic-auth' && namesGitHost(secret) && accepts(forGit);
  const flags = [flagFor(secret), isBoth ? flagFor(forGit) : undefined];
  return [...new Set(flags)].filter((flag) => flag !== undefined);
};

const secretVolume = (name: string, secretName: string): Volume => ({ name, secret: { secretName } });

/** Git, registry and blob credentials. The index counts every secret of the account, the ignored ones too. */
export const credentialSecrets = (secrets: readonly BuildSecret[], accepts: SecretFilter): MountedSecrets => {
  const taken = secrets.flatMap((secret, index) => {
    const flags = flagsOf(secret, accepts);
    return flags.length === 0 ? [] : [{ secret, flags, volume: `secret-volume-${index}` }];
  });
  return {
    volumes: taken.map(({ secret, volume }) => secretVolume(volume, secret.name)),
    mounts: taken.map(({ secret, volume }) => ({
      name: volume,
      mountPath: `${secretsPath}/${secret.name}`,
      readOnly: true,
    })),
    args: taken.flatMap(({ flags }) => flags),
  };
};

const cosignFlags = (secret: BuildSecret): readonly string[] => [
  ...(has(secret, cosignRepositoryAnnotation)
    ? [`-cosign-repositories=${secret.name}=${value(secret, cosignRepositoryAnnotation)}`]
    : []),
  ...(has(secret, cosignDockerMediaTypesAnnotation)
    ? [`-cosign-docker-media-types=${secret.name}=${value(secret, cosignDockerMediaTypesAnnotation)}`]
    : []),
];

/** Signing keys, for the completion step alone (spec 03 §6.2). */
export const cosignSecrets = (secrets: readonly BuildSecret[]): MountedSecrets => {
  const keys = secrets.flatMap((secret, index) =>
    secret.signsImages ? [{ secret, volume: `secret-volume-${index}` }] : [],
  );
  return {
    volumes: keys.map(({ secret, volume }) => secretVolume(volume, secret.name)),
    mounts: keys.map(({ secret, volume }) => ({
      name: volume,
      mountPath: `${secretsPath}/cosign/${secret.name}`,
      readOnly: true,
    })),
    args: keys.flatMap(({ secret }) => cosignFlags(secret)),
  };
};

/** Image pull secrets by name, the first of equal names counting (spec 03 §6.3). */
export const imagePullSecrets = (names: readonly string[]): MountedSecrets => {
  const pulls = [...new Set(names)].map((name, index) => ({ name, volume: `pull-secret-volume-${index}` }));
  return {
    volumes: pulls.map(({ name, volume }) => secretVolume(volume, name)),
    mounts: pulls.map(({ name, volume }) => ({ name: volume, mountPath: `${secretsPath}/${name}`, readOnly: true })),
    args: pulls.map(({ name }) => `-imagepull=${name}`),
  };
};

/**
 * The same without what `mounted` already has at the same path. kpack emits both and the API server refuses the pod when
 * a builder's pull secret is also among the account's secrets (spec 03 §22.4); the credentials are the same, one mount does.
 */
export const withoutMounted = (secrets: MountedSecrets, mounted: MountedSecrets): MountedSecrets => {
  const paths = new Set(mounted.mounts.map(({ mountPath }) => mountPath));
  const kept = secrets.mounts.map(({ mountPath }) => !paths.has(mountPath));
  const only = <T>(items: readonly T[]): readonly T[] => items.filter((_, index) => kept[index]);
  return { volumes: only(secrets.volumes), mounts: only(secrets.mounts), args: only(secrets.args) };
};

/** Volumes by name, each once: a secret that is both credential and signing key is one volume with two mounts (spec 03 §22.3). */
export const distinctVolumes = (volumes: readonly Volume[]): Volume[] => [
  ...new Map(volumes.map((volume) => [volume.name, volume])).values(),
];
