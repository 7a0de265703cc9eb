/**
 * Rebasing in the registry, without a pod (DESIGN §3.13): seconds instead of a scheduled pod, any number in parallel. A pod does it
 * only where the registry cannot be reached from here, or where what is needed exists only in the pod.
 */
import type { Build } from '../api/build.ts';
import { isOciError } from '../oci/errors.ts';
import { accountOf } from './inputs/builder-of.ts';
import type { BuildMetadata } from './metadata.ts';
import { runImage } from './pod/build-facts.ts';
import type { PodContext } from './pod/context.ts';
import type { CallContext, Images } from './ports.ts';
import { resultFromImage } from './result.ts';

/** Passes that may fail to reach the registry before a pod is asked to: a short outage shall not make thousands of pods. */
const patience = 3;

/** Why a pod must do it from the start: keys that sign the result are used nowhere but in the pod. */
export const whyOnlyInPod = ({ secrets }: PodContext): string | undefined => {
  const key = secrets.find(({ signsImages }) => signsImages);
  return key === undefined ? undefined : `the image is signed with Secret ${key.name}, which only the pod may use`;
};

/** Why a pod must take over after this failure; undefined when the failure is to be retried or reported as it is. */
export const whyTakenOver = (error: unknown, attempts: number): string | undefined => {
  if (isOciError(error, 'unauthorized') || isOciError(error, 'denied'))
    return `the credentials for the registry are not among the Secrets of the ServiceAccount: ${error.message}`;
  const unreachable = isOciError(error, 'unreachable') || isOciError(error, 'timeout');
  return unreachable && attempts >= patience ? `the registry cannot be reached from here: ${error.message}` : undefined;
};

/** Rebases and says what was made. The cache image is that of the last build: a rebase writes none. */
export const rebaseInRegistry = async (
  build: Build,
  context: PodContext,
  images: Images,
  call: CallContext,
): Promise<BuildMetadata> => {
  const { image = '', cache } = build.spec.lastBuild ?? {};
  const request = { image, runImage: runImage(build, context), tags: build.spec.tags };
  const made = await images.rebase(request, accountOf(build), call);
  return resultFromImage(build, made, cache?.image ?? '');
};
