/**
 * Rebasing in the registry, without a pod (DESIGN §3.13): seconds instead of a scheduled pod, any number in parallel. A pod does it
 * only where the registry cannot be reached from here, or where credentials or keys are of use only in the pod.
 */
import type { Build } from '../api/build.ts';
import { PermanentError } from '../errors/expected.ts';
import { UnsafeRebaseError } from '../oci/base-length.ts';
import { isOciError } from '../oci/errors.ts';
import type { CallContext, Images } from './images-port.ts';
import { accountOf } from './inputs/builder-of.ts';
import type { BuildMetadata } from './metadata.ts';
import { runImage } from './pod/build-facts.ts';
import type { PodContext } from './pod/context.ts';
import { isRebasable } from './rebasable.ts';
import { resultFromImage } from './result.ts';
import { keysOf, signRebased } from './sign-rebased.ts';

/** Passes that may fail to reach the registry before a pod is asked to: a short outage shall not make thousands of pods. */
const patience = 3;

/** Why a pod must take over after this failure; undefined when the failure is to be retried or reported as it is. */
const whyTakenOver = (error: unknown, attempts: number): string | undefined => {
  if (isOciError(error, 'unauthorized') || isOciError(error, 'denied'))
    return `no credential for the registry can be used from here: ${error.message}`;
  if (isOciError(error, 'not-asked')) return `the registry is not asked from here: ${error.message}`;
  const unreachable = isOciError(error, 'unreachable') || isOciError(error, 'timeout');
  return unreachable && attempts >= patience ? `the registry cannot be reached from here: ${error.message}` : undefined;
};

/** What helps against a rule of the registry. */
const whatToDo = 'name tags that may be moved, or lift the rule for them';

/** A pod has to be made after all. */
export interface PodNeeded {
  /** For the condition; absent when there is nothing to explain. */
  readonly because?: string | undefined;
  /** There is nothing to rebase, or what is there may not be: the pod builds. */
  readonly lastImageIsGone?: true;
}

/** The cache image is that of the last build: a rebase writes none. */
const rebase = async (
  build: Build,
  context: PodContext,
  images: Images,
  call: CallContext,
): Promise<BuildMetadata | undefined> => {
  const { image = '', cache } = build.spec.lastBuild ?? {};
  const request = { image, runImage: runImage(build, context), tags: build.spec.tags };
  try {
    const made = await images.rebase(request, accountOf(build), call);
    return resultFromImage(build, made, cache?.image ?? '');
  } catch (error) {
    if (isOciError(error, 'not-found')) return undefined;
    throw error;
  }
};

/**
 * Whether the last image may be rebased at all, looked up only where image extensions may have touched it. An image that cannot be read is built
 * anew as well: a pod that rebases it would fail.
 */
const mayBeRebased = async (
  build: Build,
  context: PodContext,
  images: Images,
  call: CallContext & { readonly attempts: number },
): Promise<boolean> => {
  if (context.builder.hasExtensions !== true) return true;
  try {
    const { labels } = await images.read(build.spec.lastBuild?.image ?? '', accountOf(build), call);
    return isRebasable(labels, runImage(build, context));
  } catch (error) {
    if (isOciError(error, 'not-found') || whyTakenOver(error, call.attempts) !== undefined) return false;
    throw error;
  }
};

/**
 * Rebases, signs the result with the keys of the ServiceAccount and says what was made, or that a pod is needed. Done again it makes and signs
 * the same image. Throws what is to be tried again or told.
 */
export const rebaseInRegistry = async (
  build: Build,
  context: PodContext,
  images: Images,
  call: CallContext & { readonly attempts: number; readonly now: Date },
): Promise<BuildMetadata | { readonly podNeeded: PodNeeded }> => {
  if (!(await mayBeRebased(build, context, images, call))) return { podNeeded: { lastImageIsGone: true } };
  const keys = await keysOf(build, context, call.kube);
  if ('because' in keys) return { podNeeded: keys };
  try {
    const made = await rebase(build, context, images, call);
    if (made === undefined) return { podNeeded: { lastImageIsGone: true } };
    await signRebased(build, made.latestImage, keys, images, call);
    return made;
  } catch (error) {
    if (isOciError(error, 'immutable')) throw new PermanentError('TagImmutable', `${error.message}; ${whatToDo}`);
    // What an image holds under its digest never gets better: a run image without the app's platform, a manifest that is none.
    if (error instanceof UnsafeRebaseError || isOciError(error, 'invalid-content'))
      return { podNeeded: { because: error.message, lastImageIsGone: true } };
    const because = whyTakenOver(error, call.attempts);
    if (because === undefined) throw error;
    return { podNeeded: { because } };
  }
};
