/** Counts inside a log line: CloudWatch makes metrics of them (embedded metric format, version 0); nothing is called. */
import type { Log } from '../reconcile/log.ts';

/** Fields that make the log line count so many of each metric, in namespace `kpackless`. Free until the first time it is said. */
export const count = (metrics: Readonly<Record<string, number>>, now: Date): Readonly<Record<string, unknown>> => ({
  _aws: {
    Timestamp: now.getTime(),
    CloudWatchMetrics: [
      {
        Namespace: 'kpackless',
        Dimensions: [[]],
        Metrics: Object.keys(metrics).map((Name) => ({
          Name,
          Unit: Name.endsWith('Milliseconds') ? 'Milliseconds' : 'Count',
        })),
      },
    ],
  },
  ...metrics,
});

interface Counted {
  readonly CloudWatchMetrics: readonly object[];
}

/** A log whose counts are in a namespace of CloudWatch, so that two installations in one account and region do not add up. */
export const countedIn =
  (namespace: string, log: Log): Log =>
  (level, what, fields = {}) => {
    if (!('_aws' in fields)) return log(level, what, fields);
    const said = fields['_aws'] as Counted;
    const CloudWatchMetrics = said.CloudWatchMetrics.map((metrics) => ({ ...metrics, Namespace: namespace }));
    log(level, what, { ...fields, _aws: { ...said, CloudWatchMetrics } });
  };

/** As `count`, one of `metric`. */
export const countOne = (metric: string, now: Date): Readonly<Record<string, unknown>> => count({ [metric]: 1 }, now);
