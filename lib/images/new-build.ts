/** The Build that an Image makes (spec 02 §5). */
import type { Build } from '../api/build.ts';
import type { BuildCacheConfig } from '../api/cache.ts';
import type { Image } from '../api/image.ts';
import {
  additionalBuildNeededAnnotation,
  buildChangesAnnotation,
  builderKindAnnotation,
  builderNameAnnotation,
  buildNumberLabel,
  buildStepsAnnotation,
  cancelAnnotation,
  imageGenerationLabel,
  imageLabel,
  pausedAnnotation,
  reasonAnnotation,
} from '../api/labels.ts';
import { buildName, buildTags } from '../api/names.ts';
import { controllerReference } from '../kube/object.ts';
import { liesWith } from '../oci/reference.ts';
import { type BuildChange, type BuildInputs, changesText, reasonsText } from './build-required.ts';
import { isFailure, isSuccess } from './builds-of-image.ts';
import { sourceOf } from './resolved-source.ts';

/** kubectl's copy of the Image, and requests about Builds that somebody put on the Image itself, are not the Build's business (DESIGN §4). */
const notCopied = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  additionalBuildNeededAnnotation,
  cancelAnnotation,
  pausedAnnotation,
]);

const copiedAnnotations = (image: Image): Record<string, string> =>
  Object.fromEntries(Object.entries(image.metadata.annotations ?? {}).filter(([key]) => !notCopied.has(key)));

const buildCache = ({ cache }: Image['spec'], claimName: string): BuildCacheConfig => {
  if (claimName !== '') return { volume: { persistentVolumeClaimName: claimName } };
  const tag = cache?.registry?.tag ?? '';
  return tag === '' ? {} : { registry: { tag } };
};

/** What the Build follows: the last success, and its cache only if that lies where the Image's does now. */
const lastBuildOf = (last: Build | undefined, { cache }: Image['spec']): Build['spec']['lastBuild'] => {
  if (last === undefined) return undefined;
  const tag = cache?.registry?.tag ?? '';
  const usable = (image: string | undefined): { readonly image?: string } =>
    image === undefined || (tag !== '' && !liesWith(image, tag)) ? {} : { image };
  if (isFailure(last)) {
    const { lastBuild } = last.spec;
    return lastBuild?.cache === undefined ? lastBuild : { ...lastBuild, cache: usable(lastBuild.cache.image) };
  }
  if (!isSuccess(last)) return undefined;
  const { latestImage, latestCacheImage, stack } = last.status ?? {};
  return {
    ...(latestImage === undefined ? {} : { image: latestImage }),
    cache: usable(latestCacheImage),
    ...(stack?.id === undefined ? {} : { stackId: stack.id }),
  };
};

const high = new Set(['TRIGGER', 'COMMIT', 'CONFIG']);

/** What users wait for goes first (spec 02 §4.4). */
export const priorityClass = (changes: readonly BuildChange[]): string =>
  changes.some(({ reason }) => high.has(reason)) ? 'kpack-build-high-priority' : 'kpack-build-low-priority';

/** What the decision does not look at. */
export interface NewBuildOptions {
  /** Name of the cache's claim; empty without one. */
  readonly claimName: string;
  readonly priorityClasses: boolean;
}

/** Leaves out members that are undefined, so that none of them is sent. */
const given = <T extends object>(members: { readonly [K in keyof T]: T[K] | undefined }): Partial<T> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Partial<T>;

/** The Build with the next number. The same inputs give the same Build but for the time in its numbered tag. */
export const newBuild = (
  { image, builds, builder, source, now }: BuildInputs,
  changes: readonly BuildChange[],
  { claimName, priorityClasses }: NewBuildOptions,
): Build => {
  const { metadata, spec } = image;
  const number = builds.nextNumber;
  const { buildTimeout, resources = {}, ...pod } = spec.build ?? {};
  return {
    apiVersion: 'kpack.io/v1alpha2',
    kind: 'Build',
    metadata: {
      name: buildName(metadata.name, number),
      namespace: metadata.namespace,
      ownerReferences: [controllerReference(image)],
      labels: {
        ...metadata.labels,
        [buildNumberLabel]: String(number),
        [imageLabel]: metadata.name,
        [imageGenerationLabel]: String(metadata.generation ?? 0),
      },
      annotations: {
        ...given({ [buildStepsAnnotation]: builder.buildSteps }),
        ...copiedAnnotations(image),
        [reasonAnnotation]: reasonsText(changes),
        [buildChangesAnnotation]: changesText(changes),
        [builderNameAnnotation]: builder.name,
        [builderKindAnnotation]: builder.kind,
      },
    },
    spec: {
      ...pod,
      resources,
      tags: [...buildTags(spec, number, now)],
      builder: { image: builder.image },
      runImage: { image: builder.runImage },
      serviceAccountName: spec.serviceAccountName,
      source: sourceOf(source),
      cache: buildCache(spec, claimName),
      ...given<Build['spec']>({
        activeDeadlineSeconds: buildTimeout,
        projectDescriptorPath: spec.projectDescriptorPath,
        defaultProcess: spec.defaultProcess,
        notary: spec.notary,
        cosign: spec.cosign,
        priorityClassName: priorityClasses ? priorityClass(changes) : undefined,
        lastBuild: lastBuildOf(builds.last, spec),
      } as { readonly [K in keyof Build['spec']]: Build['spec'][K] | undefined }),
    },
  };
};
