/**
 * The directories that steps share: volumes and where they are mounted (spec 03 §5). Each step gets what it needs, `readOnly` unless it has
 * to write; test/unit/builds/pod/mounts.test.ts has the whole table. Code of tenants runs in every step but prepare, rebase, completion and
 * those that run our waiter alone, so nothing that it can write may decide what these do (DESIGN §3.28).
 */
import type { Volume, VolumeMount } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../api/build.ts';
import { extendRunImageAnnotation } from '../../api/labels.ts';

/** A new directory that ends with the pod. */
export const emptyDir = (name: string): Volume => ({ name, emptyDir: {} });
const secret = (name: string, secretName: string): Volume => ({ name, secret: { secretName } });

/** The same for a step that does not write there. */
export const readOnly = (mount: VolumeMount): VolumeMount => ({ ...mount, readOnly: true });

export const layers: VolumeMount = { name: 'layers-dir', mountPath: '/layers' };
export const platform: VolumeMount = { name: 'platform-dir', mountPath: '/platform' };
/**
 * What prepare wrote there, as buildpacks see it. Not the whole directory: bindings are mounted beside it, and a folder for them cannot be
 * made below something read-only.
 */
export const platformEnvironment: VolumeMount = {
  name: platform.name,
  mountPath: `${platform.mountPath}/env`,
  subPath: 'env',
  readOnly: true,
};
export const workspace: VolumeMount = { name: 'workspace-dir', mountPath: '/workspace' };
export const home: VolumeMount = { name: 'home-dir', mountPath: '/builder/home' };
export const cache: VolumeMount = { name: 'cache-dir', mountPath: '/cache' };
export const report: VolumeMount = { name: 'report-dir', mountPath: '/var/report' };
export const notary: VolumeMount = { name: 'notary-dir', mountPath: '/var/notary/v1', readOnly: true };
/**
 * `analyzed.toml`: previous image, run image. In a directory of its own, as whoever could write it would choose the run image, and which of
 * the account's images the exporter takes layers from.
 */
export const analyzed: VolumeMount = { name: 'analyzed-dir', mountPath: '/analyzed' };
/** The pod's annotations as its steps see them. */
export const podInfo: VolumeMount = { name: 'pod-info-dir', mountPath: '/podInfo', readOnly: true };
/** What prepare says of the source, for the exporter alone. */
export const projectMetadata: VolumeMount = { name: 'project-metadata-dir', mountPath: '/projectMetadata' };
export const registrySourcePullSecrets: VolumeMount = {
  name: 'registry-source-pull-secrets-dir',
  mountPath: '/registrySourcePullSecrets',
  readOnly: true,
};

/**
 * The application directory as the lifecycle sees it. A leading slash is taken off: Kubernetes refuses it in a subPath, and kpack's
 * pod is refused with it (spec 03 §22.8).
 */
export const application = (build: Build): VolumeMount => {
  const subPath = (build.spec.source.subPath ?? '').replace(/^\/+/, '');
  return subPath === '' ? workspace : { ...workspace, subPath };
};

/** The claim that holds the cache; undefined when the cache is elsewhere or there is none. */
const cacheClaim = (build: Build): string | undefined =>
  build.spec.cache?.volume?.persistentVolumeClaimName || undefined;

/** Whether restore and export share a cache volume. */
export const hasCacheVolume = (build: Build): boolean => cacheClaim(build) !== undefined;

/** The pod's annotations that concern image extensions. */
export const podInfoVolume: Volume = {
  name: podInfo.name,
  downwardAPI: {
    items: [{ path: 'run-image', fieldRef: { fieldPath: `metadata.annotations['${extendRunImageAnnotation}']` } }],
  },
};

export const reportVolume = emptyDir(report.name);

/** The notary key of the Build, or an empty directory in its place. */
export const notaryVolume = (build: Build): Volume => {
  const secretName = build.spec.notary?.v1?.secretRef.name;
  return secretName === undefined ? emptyDir(notary.name) : secret(notary.name, secretName);
};

/** Only the first pull secret of a registry source is used (spec 03 §22.10). */
const registrySourceVolume = (build: Build): Volume => {
  const { git, blob, registry } = build.spec.source;
  const name = git === undefined && blob === undefined ? registry?.imagePullSecrets?.[0]?.name : undefined;
  return name === undefined ? emptyDir(registrySourcePullSecrets.name) : secret(registrySourcePullSecrets.name, name);
};

/** The volumes of the build pod between its secrets and its bindings, in kpack's order. */
export const buildVolumes = (build: Build): readonly Volume[] => {
  const claimName = cacheClaim(build);
  return [
    ...(claimName === undefined ? [] : [{ name: cache.name, persistentVolumeClaim: { claimName } }]),
    emptyDir(layers.name),
    emptyDir(home.name),
    emptyDir(workspace.name),
    emptyDir(platform.name),
    emptyDir(projectMetadata.name),
    emptyDir(analyzed.name),
    reportVolume,
    // Mounted by nothing since Windows went; kept so that policies written for kpack's pods keep matching.
    emptyDir('network-wait-launcher-dir'),
    registrySourceVolume(build),
    notaryVolume(build),
  ];
};
