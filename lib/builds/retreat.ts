/**
 * Failures that another pod mends by doing less: building from source what cannot be rebased, or building without the cache. Pure.
 */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../api/build.ts';
import { notRebasableExitCode } from '../api/step-exit.ts';
import { endedByNode, type FailedStep } from './failed-step.ts';
import { startingSeconds } from './overdue.ts';
import { cacheTag, cacheUse } from './pod/cache.ts';
import { hasCacheVolume } from './pod/volumes.ts';
import { noteOf } from './pod-notes.ts';
import type { HoldUp } from './why-not-started.ts';

/** What the next pod is to do without, and why. */
export type Retreat =
  | { readonly reason: 'BuiltFromSource'; readonly because: string }
  | { readonly reason: 'WithoutCache'; readonly because: string };

const userOf = ({ spec }: Pod): string => {
  const { runAsUser, runAsGroup } = spec?.securityContext ?? {};
  return `CNB_USER_ID ${runAsUser ?? 'unknown'} and CNB_GROUP_ID ${runAsGroup ?? 'unknown'}`;
};

/** Restoring failed on a volume: its files may be another user's since the stack has another one. */
const ofRestore = (pod: Pod, line: string): string =>
  line.includes('permission denied')
    ? `the cache was written by another user than the stack's, which now has ${userOf(pod)}: ${line}`
    : `the cache cannot be restored: ${line}`;

/** Why the cache is to blame; undefined when it is not. The lifecycle names the image that it may not read or write. */
const cacheFault = (build: Build, pod: Pod, { container }: FailedStep, line: string): string | undefined => {
  if (container === 'restore' && (hasCacheVolume(build) || cacheTag(build) !== '')) return ofRestore(pod, line);
  if (container !== 'analyze' || cacheTag(build) === '' || hasCacheVolume(build)) return undefined;
  const names = cacheUse(build).analyze.map((arg) => arg.slice(arg.indexOf('=') + 1));
  const isNamed = names.some((name) => line.endsWith(` access to ${name}`));
  return isNamed ? `the cache image cannot be read or written: ${line}` : undefined;
};

/** Seconds for which a claim may keep a pod from starting: volumes are made and moved meanwhile. */
const claimSeconds = 300;

/** What schedulers say of a pod whose claim is the trouble. */
const claimWords = [
  'persistentvolume',
  'persistent volume',
  'pvc(s)',
  'volume node affinity',
  'volume count',
  'volume zone',
  'free storage',
  'binding volumes',
  'storageclass',
];

const isAboutClaim = (text: string): boolean => claimWords.some((word) => text.toLowerCase().includes(word));

const secondsSince = (time: string | undefined, now: Date): number =>
  time === undefined ? 0 : (now.getTime() - Date.parse(time)) / 1000;

/**
 * Whether and why a pod that has not started is to be replaced by one without the cache: its claim is the only volume of the kind in it. `known`:
 * what was found out about a pod that its node has (why-not-started.ts).
 */
export const retreatWaiting = (build: Build, pod: Pod, known: HoldUp | undefined, now: Date): Retreat | undefined => {
  if (!hasCacheVolume(build) || noteOf(pod, 'cache') !== undefined) return undefined;
  const without = (because: string): Retreat => ({ reason: 'WithoutCache', because });
  const homeless = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  const said = homeless?.message ?? '';
  if (homeless !== undefined)
    return isAboutClaim(said) && secondsSince(homeless.lastTransitionTime, now) >= claimSeconds
      ? without(`no node takes the pod because of the cache's claim: ${said}`)
      : undefined;
  const claim = build.spec.cache?.volume?.persistentVolumeClaimName;
  if (known === undefined || known.claim !== claim || startingSeconds(pod, now) < claimSeconds) return undefined;
  return without(`the cache cannot be mounted: ${known.condition.message ?? ''}`);
};

/** Whether and why another pod that does less may succeed where this one failed by itself; undefined when none does. `line`: the step's last one. */
export const retreatFrom = (
  build: Build,
  pod: Pod,
  failed: FailedStep | undefined,
  line: string,
): Retreat | undefined => {
  if (failed === undefined || endedByNode(pod) || failed.exitCode === 137 || failed.exitCode === 143) return undefined;
  if (failed.container === 'rebase' && failed.exitCode === notRebasableExitCode)
    return { reason: 'BuiltFromSource', because: line };
  if (noteOf(pod, 'cache') !== undefined) return undefined;
  const because = cacheFault(build, pod, failed, line);
  return because === undefined ? undefined : { reason: 'WithoutCache', because };
};
