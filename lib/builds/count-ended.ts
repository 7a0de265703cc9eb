/** What is counted of a Build that ended: why it was made, how it ended, what its steps took. */
import type { Build, BuildStatus } from '../api/build.ts';
import { reasonAnnotation } from '../api/labels.ts';
import { buildReasons, conditionReasons } from '../api/reasons.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { conditionOf } from '../reconcile/conditions.ts';
import { isFinished } from './is-finished.ts';

const known: ReadonlySet<string> = new Set(buildReasons);

/** The reasons it was made for, joined by commas; what is none of ours is `other`, as every value is a series of its own. */
const reasonOf = ({ metadata }: Build): string => {
  const reasons = (metadata.annotations?.[reasonAnnotation] ?? '').split(',');
  return reasons.every((reason) => known.has(reason)) ? [...new Set(reasons)].toSorted().join(',') : 'other';
};

const resultOf = (build: Build): string => {
  const { reason = '' } = conditionOf(build, 'Succeeded') ?? {};
  return reason in conditionReasons ? reason : 'other';
};

/** Seconds by step, of those that ended well: the status names them in the order of their states. */
export const stepSeconds = ({ stepStates = [], stepsCompleted = [] }: BuildStatus): ReadonlyMap<string, number> => {
  const ended = stepStates.flatMap(({ terminated }) => (terminated?.exitCode === 0 ? [terminated] : []));
  return new Map(
    stepsCompleted.flatMap((step, index) => {
      const { startedAt, finishedAt } = ended[index] ?? {};
      const seconds = (Date.parse(finishedAt ?? '') - Date.parse(startedAt ?? '')) / 1000;
      return Number.isFinite(seconds) && seconds >= 0 ? [[step, seconds] as const] : [];
    }),
  );
};

/** Counts a Build with its new status; one that has not ended counts nothing. */
export const countEnded = (build: Build, metrics: Pick<Metrics, 'add'>): void => {
  if (!isFinished(build)) return;
  const result = resultOf(build);
  metrics.add('Builds', { reason: reasonOf(build), result });
  if (conditionOf(build, 'Succeeded')?.status === 'False') metrics.add('BuildFailures', { result });
  for (const [step, seconds] of stepSeconds(build.status ?? {})) metrics.add('BuildStepSeconds', { step }, seconds);
};
