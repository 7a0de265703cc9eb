/** What an Image's first pass after the move comes to, from what kpack left in the cluster: the rules are those of lib/images. Pure. */
import type { Build } from '../api/build.ts';
import { type StoredImage, withImageDefaults } from '../api/defaults.ts';
import { imageLabel } from '../api/labels.ts';
import { sourceResolverName } from '../api/names.ts';
import type { SourceResolver } from '../api/source-resolver.ts';
import { PermanentError } from '../errors/expected.ts';
import { type BuildChange, type BuildInputs, buildRequired } from '../images/build-required.ts';
import { imageBuilds, isFailure, isRunning } from '../images/builds-of-image.ts';
import { builderKey, type ImageBuilder, readyBuilder } from '../images/image-builder.ts';
import { isPaused } from '../images/requests.ts';
import { readySource } from '../images/resolved-source.ts';
import { showKey } from '../kube/object.ts';

/** What is in the cluster, all of each kind. */
export interface KpackObjects {
  readonly images: readonly StoredImage[];
  readonly builds: readonly Build[];
  readonly resolvers: readonly SourceResolver[];
  readonly builders: readonly ImageBuilder[];
}

/** A failed Build that kpack leaves as it is, although there is another builder now. */
export interface LeftBuild {
  readonly build: Build;
  /** The image of the builder that there is now. */
  readonly builder: string;
}

/**
 * What becomes of one Image. `left`: kpackless would try a failed Build again, kpack would not, and so a move notes that it is left. `nothing` also
 * where it waits for something, which `why` then says.
 */
export interface AfterMove {
  /** `Image namespace/name`. */
  readonly image: string;
  readonly comes: 'build' | 'running' | 'left' | 'nothing';
  readonly why: string;
  readonly left?: LeftBuild;
}

/** The failed Build that kpack would leave: it never looks at what another builder offers then (spec 02 §4.2). */
const leftByKpack = (inputs: BuildInputs): LeftBuild | undefined => {
  const { last } = inputs.builds;
  if (last === undefined || !isFailure(last)) return undefined;
  const { image } = inputs.builder;
  const sameBuilder = { ...inputs.builder, image: last.spec.builder.image ?? '' };
  return buildRequired({ ...inputs, builder: sameBuilder }).length === 0 ? { build: last, builder: image } : undefined;
};

const reasons = (changes: readonly BuildChange[]): string => changes.map(({ reason }) => reason).join(', ');

/** What becomes of each Image. */
export const afterMove = (objects: KpackObjects, now: Date): readonly AfterMove[] => {
  const at = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`;
  const buildsOf = Map.groupBy(objects.builds, ({ metadata }) =>
    at(metadata.namespace, metadata.labels?.[imageLabel] ?? ''),
  );
  const resolvers = new Map(objects.resolvers.map((one) => [at(one.metadata.namespace, one.metadata.name), one]));
  const builders = new Map(
    objects.builders.map((one) => [`${one.kind} ${at(one.metadata.namespace, one.metadata.name)}`, one]),
  );

  const decided = (stored: StoredImage): Omit<AfterMove, 'image'> => {
    const image = withImageDefaults(stored);
    const { namespace, name } = image.metadata;
    const builds = imageBuilds(buildsOf.get(at(namespace, name)) ?? [], image);
    if (builds.last !== undefined && isRunning(builds.last))
      return {
        comes: 'running',
        why: `Build ${builds.last.metadata.name} runs: it is adopted with its pod and goes on`,
      };
    const key = builderKey(image);
    const builder = builders.get(`${key.kind} ${at(key.namespace, key.name)}`);
    const ready = builder === undefined ? undefined : readyBuilder(builder);
    if (ready === undefined)
      return { comes: 'nothing', why: `${showKey(key)} is ${builder === undefined ? 'not there' : 'not ready'}` };
    const resolver = resolvers.get(at(namespace, sourceResolverName(name)));
    const source = resolver === undefined ? undefined : readySource(resolver);
    if (source === undefined) return { comes: 'nothing', why: 'its source is not resolved' };
    const inputs = { image, builds, builder: ready, source, now };
    const changes = buildRequired(inputs);
    if (changes.length === 0) return { comes: 'nothing', why: 'it is up to date' };
    if (isPaused(image)) return { comes: 'nothing', why: `its Builds are paused; one is due: ${reasons(changes)}` };
    const left = leftByKpack(inputs);
    return left === undefined
      ? { comes: 'build', why: reasons(changes) }
      : {
          comes: 'left',
          left,
          why: 'its last Build failed with another builder than there is now, and kpack does not try that again',
        };
  };

  return objects.images.map((image) => {
    const { namespace = '', name } = image.metadata;
    const shown = showKey({ kind: 'Image', namespace, name });
    try {
      return { image: shown, ...decided(image) };
    } catch (error) {
      if (!(error instanceof PermanentError)) throw error;
      return { image: shown, comes: 'nothing', why: `it cannot be built: ${error.message}` };
    }
  });
};
