/** From a build and a run image to the resolved fields of a ClusterStack (spec 04 §6.2). */
import type { ClusterStackSpec, ClusterStackStatus } from '../api/cluster-stack.ts';
import { PermanentError } from '../errors/expected.ts';
import { mixinsLabelOf, stackIdLabel } from './labels.ts';
import { envOf, labelOf, type ReadableImage } from './readable-image.ts';

const numberIn = (image: ReadableImage, name: string): number => {
  const text = envOf(image, name);
  if (/^[+-]?\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new PermanentError('', `env ${name}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
};

/** The failure with the image it is about: a stack has two, and a message about neither helps nobody. */
const about = <T>(image: string, read: () => T): T => {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof PermanentError)) throw cause;
    throw new PermanentError('', `${cause.message} (${image})`, { cause });
  }
};

const owner = (build: ReadableImage): { readonly userId: number; readonly groupId: number } => {
  try {
    const [userId, groupId] = [numberIn(build, 'CNB_USER_ID'), numberIn(build, 'CNB_GROUP_ID')];
    if (userId === 0)
      throw new PermanentError('', 'CNB_USER_ID is 0: no build runs as root; give the stack another user');
    return { userId, groupId };
  } catch (cause) {
    throw new PermanentError('', `validating build image: ${(cause as Error).message}`, { cause });
  }
};

const isForBuild = (mixin: string): boolean => mixin.startsWith('build:');
const isForRun = (mixin: string): boolean => mixin.startsWith('run:');
const isPlain = (mixin: string): boolean => !isForBuild(mixin) && !isForRun(mixin);

const refuse = (what: string, mixins: readonly string[]): void => {
  if (mixins.length > 0) throw new PermanentError('', `${what}: ${mixins.join(', ')}`);
};

/** Mixins the stack provides: the build image's plain ones, its `build:` ones, then the run image's `run:` ones. */
const mixinsOf = (buildImage: ReadableImage, runImage: ReadableImage): readonly string[] => {
  const [build, run] = [mixinsLabelOf(buildImage), mixinsLabelOf(runImage)];
  refuse('build image contains run-only mixin(s)', build.filter(isForRun));
  refuse('run image contains build-only mixin(s)', run.filter(isForBuild));
  const plain = build.filter(isPlain);
  const ofRun = new Set(run);
  refuse(
    'runImage missing required mixin(s)',
    plain.filter((mixin) => !ofRun.has(mixin)),
  );
  return [...plain, ...build.filter(isForBuild), ...run.filter(isForRun)];
};

/**
 * The resolved stack, with numbers and lists left out when zero or empty as on the wire. Throws PermanentError when ids differ, the
 * build image does not say its user or says root, or mixins do not fit; checks run in kpack's order.
 */
export const stackOf = (
  spec: ClusterStackSpec,
  buildImage: ReadableImage,
  runImage: ReadableImage,
): Omit<ClusterStackStatus, 'conditions' | 'observedGeneration'> => {
  const [build, run] = [spec.buildImage.image, spec.runImage.image];
  const buildId = about(build, () => labelOf(buildImage, stackIdLabel));
  const runId = about(run, () => labelOf(runImage, stackIdLabel));
  if (buildId !== spec.id || runId !== spec.id) {
    throw new PermanentError(
      '',
      `invalid stack images. expected stack: ${spec.id}, build image stack: ${buildId}, run image stack: ${runId}`,
    );
  }
  const { userId, groupId } = about(build, () => owner(buildImage));
  const mixins = mixinsOf(buildImage, runImage);
  return {
    id: spec.id,
    buildImage: { latestImage: buildImage.identifier, image: spec.buildImage.image },
    runImage: { latestImage: runImage.identifier, image: spec.runImage.image },
    ...(mixins.length > 0 && { mixins }),
    ...(userId && { userId }),
    ...(groupId && { groupId }),
  };
};
