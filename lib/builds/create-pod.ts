/** Makes the pod of a Build in a form that its namespace takes. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../api/build.ts';
import { PermanentError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import { shownText } from '../text/shown-text.ts';
import { buildPod } from './pod/build-pod.ts';
import type { PodContext } from './pod/context.ts';
import { type Notes, withNotes } from './pod-notes.ts';
import { startsAtOnce } from './steps.ts';

/** Longest part of a refusal in an annotation, characters. */
const longestNote = 500;

/** The API server's words where the pod itself was refused: by quota, limits, or a webhook's additions; not where we may not make pods. */
const refusalOf = (error: unknown): string | undefined => {
  if (error instanceof PermanentError) return error.message;
  return isKubeError(error, 'forbidden') && !/User "[^"]*" cannot/u.test(error.message) ? error.message : undefined;
};

/** The pods that could be made for the Build: as wanted, and in sequence, which is what is made where that is refused. */
export const podForms = (build: Build, context: PodContext): readonly Pod[] => {
  const wanted = buildPod(build, context);
  const isOnlyOne = !startsAtOnce(wanted) || context.settings.injectedSidecars;
  return isOnlyOne ? [wanted] : [wanted, buildPod(build, { ...context, isSequential: true })];
};

/**
 * Creates the pod; where the namespace refuses one whose steps start at once, the one with steps in sequence, which says why. `notes`: what
 * else is to be said of it. Throws what the API server says of the last one.
 */
export const createPod = async (forms: readonly Pod[], notes: Notes, kube: KubeClient): Promise<Pod> => {
  const [wanted = {}, otherwise] = forms.map((pod) => withNotes(pod, notes));
  try {
    return await kube.create<Pod>(wanted);
  } catch (error) {
    const refusal = refusalOf(error);
    if (otherwise === undefined || refusal === undefined) throw error;
    return kube.create<Pod>(withNotes(otherwise, { sequence: shownText(refusal).slice(0, longestNote) }));
  }
};
