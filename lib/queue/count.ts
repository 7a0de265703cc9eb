/** A count inside a log line: CloudWatch makes a metric of it (embedded metric format, version 0); nothing is called. */

/** Fields that make the log line count one of `metric`, in namespace `kpackless`. Free until the first time it is said. */
export const countOne = (metric: string, now: Date): Readonly<Record<string, unknown>> => ({
  _aws: {
    Timestamp: now.getTime(),
    CloudWatchMetrics: [{ Namespace: 'kpackless', Dimensions: [[]], Metrics: [{ Name: metric, Unit: 'Count' }] }],
  },
  [metric]: 1,
});
