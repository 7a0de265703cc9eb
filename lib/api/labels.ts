/** Labels and annotations, letter for letter as kpack writes and reads them (spec 01 §6, spec 05 §7.3). */

/** Label of Build and pod: decimal number of the Build within its Image. */
export const buildNumberLabel = 'image.kpack.io/buildNumber';
/** Label of Build and pod: name of the Image; the Builds of an Image are found by it. */
export const imageLabel = 'image.kpack.io/image';
/** Label of Build and pod: `metadata.generation` of the Image the Build was made from. */
export const imageGenerationLabel = 'image.kpack.io/imageGeneration';
/** Label of a build pod: name of its Build. */
export const buildLabel = 'kpack.io/build';

/** Annotation of a Build: why it was made, reasons joined by commas without spaces. */
export const reasonAnnotation = 'image.kpack.io/reason';
/** Annotation of a Build: JSON list of `{reason, old, new}`, empty members omitted. */
export const buildChangesAnnotation = 'image.kpack.io/buildChanges';
/** Annotation of a Build: its presence on the latest Build asks for another; clients write a time. */
export const additionalBuildNeededAnnotation = 'image.kpack.io/additionalBuildNeeded';
/** Annotation of a Build: name of the builder. */
export const builderNameAnnotation = 'image.kpack.io/builderName';
/** Annotation of a Build: kind of the builder; readers must tolerate an empty one. */
export const builderKindAnnotation = 'image.kpack.io/builderKind';
/** Annotation of a Build: its presence, unless `false`, cancels the Build: the pod is deleted and the Build fails. */
export const cancelAnnotation = 'build.kpack.io/cancel';
/** Annotation of an Image: a new value, by convention a time, asks for another Build; Builds carry the value they were made for. */
export const retryAnnotation = 'image.kpack.io/retry';
/** Annotation of an Image: with `true` no new Build is made; a running one goes on. */
export const pausedAnnotation = 'image.kpack.io/paused';
/** Annotation of an Image or SourceResolver: how often its source is looked at, `90`, `5m`, `1h`; `0` is never. */
export const pollIntervalAnnotation = 'image.kpack.io/pollInterval';
/**
 * Annotation of a Build, Image, Builder or ClusterBuilder, the first that has it counting before the installation's setting: `parallel` starts all
 * steps at once, `sequential` one after another.
 */
export const buildStepsAnnotation = 'image.kpack.io/buildSteps';
/** Annotation of a Build or Image: how often a pod that Kubernetes ended is made again, 0 to 20; before the installation's setting. */
export const podRetriesAnnotation = 'build.kpack.io/podRetries';
/** Annotation of a Build or Image: seconds before the second pod is made, 1 to 600; each further one waits twice as long. */
export const podRetrySecondsAnnotation = 'build.kpack.io/podRetrySeconds';
/** Annotation of a build pod: `true` once its steps may start (injected-sidecar mode). */
export const podReadyAnnotation = 'build.kpack.io/ready';
/** Annotation of a build pod: there once it was ended because its steps were over; the deadline that ended it is not the Build's. */
export const stepsOverAnnotation = 'build.kpack.io/stepsOver';
/** Annotation of a build pod: the image its step `extend-run` was given, where an image extension chose it. */
export const extendRunImageAnnotation = 'build.kpack.io/extendRunImage';
/** Annotation of a build pod: `false` keeps the service mesh out; absent in injected-sidecar mode. */
export const istioInjectAnnotation = 'sidecar.istio.io/inject';

/** Annotation of a Secret: the registry its user name and password are for. */
export const dockerAnnotation = 'kpack.io/docker';
/** Annotation of a Secret: the git host its key or password is for. */
export const gitAnnotation = 'kpack.io/git';
/** Annotation of a Secret: the host of archives its header is for. */
export const blobAnnotation = 'kpack.io/blob';
/** Annotation of a Builder or ClusterBuilder (ours): the platforms it is wanted for, `all` or `linux/amd64,linux/arm64`. */
export const platformsAnnotation = 'kpack.io/platforms';
/** Annotation of a signing Secret: repository the signatures go to. */
export const cosignRepositoryAnnotation = 'kpack.io/cosign.repository';
/** Annotation of a signing Secret: `1` asks for Docker media types. */
export const cosignDockerMediaTypesAnnotation = 'kpack.io/cosign.docker-media-types';
/** Annotation of a Secret: its presence makes the key sign attestations. */
export const slsaAnnotation = 'kpack.io/slsa';
/** Annotation of a Secret: `1` asks for Docker media types of attestations; kpack documents it without reading it. */
export const slsaDockerMediaTypesAnnotation = 'kpack.io/slsa.docker-media-types';

/** Annotation of a ServiceAccount, written by `kp`: JSON map of Secret name to target. */
export const managedSecretAnnotation = 'kpack.io/managedSecret';
/** Annotation of cluster-scoped kinds, written by `kp import`: when, RFC 3339. */
export const importTimestampAnnotation = 'kpack.io/import-timestamp';

/** Label of nodes, refused as a key of a nodeSelector: the system is found from the builder. */
export const osNodeLabel = 'kubernetes.io/os';
/** Annotation of a StorageClass: exactly `true` marks the default one. */
export const defaultStorageClassAnnotation = 'storageclass.kubernetes.io/is-default-class';

/** Annotations of a v1alpha1 Image that carry the v1alpha2 fields it has no place for (spec 01 §10). */
export const conversionCarriers = {
  services: 'kpack.io/services',
  tolerations: 'kpack.io/tolerations',
  nodeSelector: 'kpack.io/nodeSelector',
  affinity: 'kpack.io/affinity',
  runtimeClassName: 'kpack.io/runtimeClassName',
  schedulerName: 'kpack.io/schedulerName',
  buildTimeout: 'kpack.io/buildTimeout',
  storageClassName: 'kpack.io/cache.volume.storageClassName',
  registryTag: 'kpack.io/cache.registry.tag',
  projectDescriptorPath: 'kpack.io/projectDescriptorPath',
  cosignAnnotation: 'kpack.io/cosignAnnotation',
  defaultProcess: 'kpack.io/defaultProcess',
} as const;
/** Annotation of a v1alpha1 Image, Build or Builder (ours): the rest of what v1alpha1 has no place for (lib/conversion/remainder.ts). */
export const remainderAnnotation = 'conversion.kpack.io/v1alpha2';
/** On a failed Build of kpack's, when its cluster was taken over: the builder image there was then, with which kpack would not have tried again. */
export const leftWithBuilderAnnotation = 'kpackless.io/left-with-builder';
