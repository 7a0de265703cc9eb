/** Counts inside a log line: CloudWatch makes metrics of them (embedded metric format, version 0); nothing is called. */

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

/** As `count`, one of `metric`. */
export const countOne = (metric: string, now: Date): Readonly<Record<string, unknown>> => count({ [metric]: 1 }, now);
