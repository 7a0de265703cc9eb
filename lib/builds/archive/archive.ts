/**
 * Keeps the logs of a build outside the cluster, where they are readable once its pod is gone (docs/decisions/0001-log-archive.md).
 * Done when the Build ends and before its pod is deleted by us; a store that fails holds up no Build: it is tried again afterwards.
 */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../api/build.ts';
import type { Condition, ConditionStatus } from '../../api/condition.ts';
import type { ConditionReason, ConditionType } from '../../api/reasons.ts';
import { ExpectedError } from '../../errors/expected.ts';
import { condition, conditionOf, withTransitionTimes } from '../../reconcile/conditions.ts';
import { again, type Outcome, settled } from '../../reconcile/outcome.ts';
import type { Pass } from '../../reconcile/reconciler.ts';
import { packLogs, stepsWithLog } from './pack-logs.ts';
import { type ArchivePlace, logKey, nameOf } from './place.ts';
import { putOnce, type StoreIdentity } from './put-once.ts';

/** Where logs go and as whom they are put there. */
export interface ArchivePorts extends StoreIdentity {
  readonly place: ArchivePlace;
}

/** Who has the logs of a Build: its pod, nobody any more, or nobody ever; or what is known of them already. */
export type LogHolder = Pod | 'gone' | 'none' | { readonly known: readonly Condition[] };

const logsArchived = 'LogsArchived' satisfies ConditionType;

/** How long a store, or a node that has the logs, may be out of reach, seconds. */
const patienceSeconds = 3600;
/** Time between tries, seconds: soon while the failure is young. */
const pauses = { young: 60, later: 300, youngUntil: 600 } as const;
/** Longest time that the end of a Build waits for its logs, and what a pass keeps for telling the end, seconds. */
const mostSeconds = 20;
const reserveSeconds = 5;

const told = (status: ConditionStatus, reason: ConditionReason, message: string): Condition =>
  condition(logsArchived, status, reason, message);

/** Seconds since the first try failed. */
const failingFor = (had: Condition | undefined, now: Date): number =>
  had?.lastTransitionTime ? (now.getTime() - Date.parse(had.lastTransitionTime)) / 1000 : 0;

const put = async (
  build: Build,
  pod: Pod,
  { place, ...identity }: ArchivePorts,
  pass: Pass,
  { isLastTry, earlierPod }: { readonly isLastTry: boolean; readonly earlierPod?: number },
): Promise<readonly Condition[]> => {
  const steps = stepsWithLog(pod);
  if (steps.length === 0) return [];
  const milliseconds = Math.min(mostSeconds, Math.max(1, pass.remainingSeconds() - reserveSeconds)) * 1000;
  const signal = AbortSignal.any([pass.signal, AbortSignal.timeout(milliseconds)]);
  const until = performance.now() + milliseconds;
  const { gzip, unreadable } = await packLogs(pod, steps, pass.kube, { isLastTry, until });
  if (unreadable.length === steps.length)
    return [told('False', 'ArchiveFailed', `the logs of pod ${pod.metadata?.name ?? ''} cannot be read any more`)];
  const { namespace = '', name, uid = '' } = build.metadata;
  const key = logKey(place, { cluster: pass.cluster, namespace, build: name, uid, earlierPod });
  await putOnce({ place, key, body: gzip }, identity, signal);
  const where = nameOf(place, key);
  if (unreadable.length === 0) return [told('True', 'Archived', where)];
  return [told('True', 'ArchivedInPart', `${where}; the logs of ${unreadable.join(', ')} could not be read`)];
};

/** The archive of an installation; without ports it is switched off, and nothing is read or said. */
export const logArchive = (ports: ArchivePorts | undefined) => {
  const conditions = async (build: Build, holder: LogHolder, pass: Pass): Promise<readonly Condition[]> => {
    if (typeof holder === 'object' && 'known' in holder) return holder.known;
    const had = conditionOf(build, logsArchived);
    if (ports === undefined || holder === 'none' || (had !== undefined && had.status !== 'Unknown'))
      return had === undefined ? [] : [had];
    // A Build that never had a pod has no logs either.
    if (holder === 'gone' && (build.status?.podName ?? '') === '') return [];
    if (holder === 'gone') return [told('False', 'ArchiveFailed', 'the pod is gone, and its logs with it')];
    const isLastTry = failingFor(had, pass.now) >= patienceSeconds;
    try {
      return await put(build, holder, ports, pass, { isLastTry });
    } catch (error) {
      if (!(error instanceof ExpectedError)) throw error;
      return [
        isLastTry ? told('False', 'ArchiveFailed', error.message) : told('Unknown', 'ArchiveRetrying', error.message),
      ];
    }
  };

  /** Whether the logs of an ended Build are still to be archived. */
  const areMissing = (build: Build): boolean =>
    ports !== undefined && conditionOf(build, logsArchived)?.status === 'Unknown';

  /** When an ended Build is to be looked at again. */
  const outcome = (build: Build, now: Date): Outcome => {
    if (!areMissing(build)) return settled;
    const isYoung = failingFor(conditionOf(build, logsArchived), now) < pauses.youngUntil;
    return again(isYoung ? pauses.young : pauses.later, 'the logs are not archived yet');
  };

  return {
    /** What a status says of the logs; they are archived now if somebody has them and that was not done. A failure is a condition too. */
    conditions,
    areMissing,
    outcome,
    /** Archives the logs of a pod that is about to be deleted. */
    before: async (build: Build, pod: Pod | undefined, pass: Pass): Promise<LogHolder> => ({
      known: await conditions(build, pod ?? 'gone', pass),
    }),
    /** Archives what can be read now of a pod after which another is made; nothing waits for it, and it is not tried again. */
    earlier: async (build: Build, pod: Pod | 'gone', earlierPod: number, pass: Pass): Promise<void> => {
      if (ports === undefined || pod === 'gone') return;
      try {
        await put(build, pod, ports, pass, { isLastTry: true, earlierPod });
      } catch (error) {
        if (!(error instanceof ExpectedError)) throw error;
      }
    },
    /** Archives the logs of an ended Build after all; the rest of its status stays. */
    archive: async (build: Build, pod: Pod | undefined, pass: Pass): Promise<Outcome> => {
      const rest = (build.status?.conditions ?? []).filter(({ type }) => type !== logsArchived);
      const wanted = [...rest, ...(await conditions(build, pod ?? 'gone', pass))];
      const next = withTransitionTimes(wanted, build.status?.conditions, pass.now);
      return outcome(await pass.writeStatus(build, { ...build.status, conditions: [...next] }), pass.now);
    },
  };
};
