/** The directories that steps share: volumes and where they are mounted (spec 03 §5). */
import type { Volume, VolumeMount } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../api/build.ts';
import { extendRunImageAnnotation } from '../../api/labels.ts';

const emptyDir = (name: string): Volume => ({ name, emptyDir: {} });
const secret = (name: string, secretName: string): Volume => ({ name, secret: { secretName } });

export const layers: VolumeMount = { name: 'layers-dir', mountPath: '/layers' };
export const platform: VolumeMount = { name: 'platform-dir', mountPath: '/platform' };
export const workspace: VolumeMount = { name: 'workspace-dir', mountPath: '/workspace' };
export const home: VolumeMount = { name: 'home-dir', mountPath: '/builder/home' };
export const cache: VolumeMount = { name: 'cache-dir', mountPath: '/cache' };
export const report: VolumeMount = { name: 'report-dir', mountPath: '/var/report' };
export const notary: VolumeMount = { name: 'notary-dir', mountPath: '/var/notary/v1', readOnly: true };
/** Where the extender keeps the images it extends, and we what its steps need in images that are not ours. */
export const kaniko: VolumeMount = { name: 'kaniko-dir', mountPath: '/kaniko' };
/** The pod's annotations as its steps see them. */
export const podInfo: VolumeMount = { name: 'pod-info-dir', mountPath: '/podInfo', readOnly: true };
/** The prepare step writes project-metadata.toml into the layers directory, under another path. */
export const projectMetadata: VolumeMount = { name: 'layers-dir', mountPath: '/projectMetadata' };
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

/** What image extensions need beside the volumes of every build. */
export const extensionVolumes: readonly Volume[] = [
  emptyDir(kaniko.name),
  {
    name: podInfo.name,
    downwardAPI: {
      items: [{ path: 'run-image', fieldRef: { fieldPath: `metadata.annotations['${extendRunImageAnnotation}']` } }],
    },
  },
];

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
    reportVolume,
    // Mounted by nothing since Windows went; kept so that policies written for kpack's pods keep matching.
    emptyDir('network-wait-launcher-dir'),
    registrySourceVolume(build),
    notaryVolume(build),
  ];
};
