/** The builder an Image uses: Builder and ClusterBuilder alike (spec 01 §8.1). */
import type { Builder, BuilderStatus } from '../api/builder.ts';
import type { ClusterBuilder } from '../api/cluster-builder.ts';
import type { Image } from '../api/image.ts';
import { buildStepsAnnotation } from '../api/labels.ts';
import { PermanentError } from '../errors/expected.ts';
import { conditionOf, isTrue } from '../reconcile/conditions.ts';
import type { Dependency } from '../state/keys.ts';

/** Either kind of builder. */
export type ImageBuilder = Builder | ClusterBuilder;

/** A builder that can be built with. */
export interface ReadyBuilder {
  readonly name: string;
  readonly kind: string;
  readonly image: string;
  readonly runImage: string;
  readonly status: BuilderStatus;
  /** How the steps of its builds follow each other, as its annotation says. */
  readonly buildSteps?: string | undefined;
}

/** Which object that is: a Builder of the Image's own namespace, whatever the reference says, or a ClusterBuilder. */
export const builderKey = ({ metadata, spec }: Image): Dependency => {
  const { kind, name } = spec.builder;
  if (kind === 'ClusterBuilder') return { kind, namespace: '', name };
  if (kind === 'Builder') return { kind, namespace: metadata.namespace ?? '', name };
  throw new PermanentError(
    'BuilderNotFound',
    `Error: unknown builder type: ${kind}; spec.builder.kind must be Builder or ClusterBuilder`,
  );
};

const isCurrent = ({ metadata, status }: ImageBuilder): boolean => metadata.generation === status?.observedGeneration;

/** Whether it takes in the newest stack and buildpacks, as of its current spec. */
export const isUpToDate = (builder: ImageBuilder): boolean => isCurrent(builder) && isTrue(builder, 'UpToDate');

/** The builder as builds need it; undefined while it is not ready for its current spec. */
export const readyBuilder = (builder: ImageBuilder): ReadyBuilder | undefined => {
  const { metadata, kind, status } = builder;
  if (!isCurrent(builder) || !isTrue(builder, 'Ready')) return undefined;
  if (status?.latestImage === undefined || status.latestImage === '') return undefined;
  return {
    name: metadata.name,
    kind,
    image: status.latestImage,
    runImage: status.stack?.runImage ?? '',
    status,
    buildSteps: metadata.annotations?.[buildStepsAnnotation],
  };
};

/** Why it is not ready, as kpack words it (spec 02 §3.4). */
export const notReadyMessage = (builder: ImageBuilder): string => {
  const said = conditionOf(builder, 'Ready')?.message ?? '';
  const text = `Error: Builder '${builder.metadata.name}' is not ready in namespace '${builder.metadata.namespace ?? ''}'`;
  return said === '' ? text : `${text}; Message: ${said}`;
};
