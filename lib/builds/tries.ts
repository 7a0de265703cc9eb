/**
 * How often a Build gets another pod when Kubernetes took its own away, and how long it waits before (settings KPACKLESS_POD_RETRIES and
 * KPACKLESS_POD_RETRY_SECONDS; annotations). Pure: `now` is an argument.
 */
import type { Build } from '../api/build.ts';
import { podRetriesAnnotation, podRetrySecondsAnnotation } from '../api/labels.ts';
import { PermanentError } from '../errors/expected.ts';
import type { Disruption } from './disruption.ts';
import { annotation } from './pod/build-facts.ts';

/** What an installation, or a Build, allows. */
export interface RetryPolicy {
  /** Pods after the first one; 0: none. Preemptions are not counted: those who are pushed aside are not to be ended for good. */
  readonly retries: number;
  /** Seconds before the second pod; each further one waits twice as long, `longestWaitSeconds` at most. */
  readonly firstSeconds: number;
}

/** What holds where nothing is said. */
export const usualRetries: RetryPolicy = { retries: 3, firstSeconds: 10 };
/** Most that either may be. */
export const mostRetries = 20;
export const longestWaitSeconds = 600;

/** How often a Build was tried, as its record keeps it. */
export interface Tries {
  /** Pods that were made, the present one included. */
  readonly pods: number;
  /** Retries that counted. */
  readonly used: number;
}

/** A Build with its first pod. */
export const firstTry: Tries = { pods: 1, used: 0 };

const numberIn = (build: Build, key: string, least: number, most: number): number | undefined => {
  const value = annotation(build, key);
  if (value === '') return undefined;
  if (/^\d{1,4}$/u.test(value) && Number(value) >= least && Number(value) <= most) return Number(value);
  throw new PermanentError(
    '',
    `annotation ${key} is ${JSON.stringify(value.slice(0, 100))}: use a whole number from ${least} to ${most}`,
  );
};

/** What holds for the Build: its annotations, then the installation. Throws PermanentError for an annotation that is no number of the kind. */
export const retryPolicyOf = (build: Build, installation: RetryPolicy = usualRetries): RetryPolicy => ({
  retries: numberIn(build, podRetriesAnnotation, 0, mostRetries) ?? installation.retries,
  firstSeconds: numberIn(build, podRetrySecondsAnnotation, 1, longestWaitSeconds) ?? installation.firstSeconds,
});

/** The next try after this disruption; undefined when there is none left. */
export const nextTry = ({ pods, used }: Tries, { retries }: RetryPolicy, { reason }: Disruption): Tries | undefined => {
  if (reason === 'Preempted') return { pods: pods + 1, used };
  return used >= retries ? undefined : { pods: pods + 1, used: used + 1 };
};

/** The next try of a Build that is to do less (retreat.ts): it did something wrong itself, once, and no retry is used up. */
export const retreatingTry = ({ pods, used }: Tries): Tries => ({ pods: pods + 1, used });

/** Seconds before the pod of this try is made. */
export const waitSeconds = ({ pods }: Tries, { firstSeconds }: RetryPolicy): number =>
  Math.min(longestWaitSeconds, firstSeconds * 2 ** Math.min(30, pods - 2));

/** `pod 3, 2 of 3 retries used`, as conditions and pods have it; `readTries` reads it again. */
export const triesText = ({ pods, used }: Tries, { retries }: RetryPolicy): string =>
  `pod ${pods}, ${used} of ${retries} retries used`;

/** The same of a pod that is still to be made, at the end of a condition's message; `isAwaited` tells it from others. */
export const awaitedText = (tries: Tries, policy: RetryPolicy, seconds: number): string =>
  `${triesText(tries, policy)}, is made in ${seconds} s`;

/** Whether a condition's message says that a pod is still to be made. */
export const isAwaited = (message: string): boolean => /retries used, is made in \d{1,4} s$/u.test(message);

/** What such a text says, wherever it stands in `text`; undefined when it is none. */
export const readTries = (text: string): Tries | undefined => {
  const [, pods = '', used = ''] = /pod (\d{1,9}), (\d{1,4}) of \d{1,4} retries used/u.exec(text) ?? [];
  return pods === '' ? undefined : { pods: Number(pods), used: Number(used) };
};
