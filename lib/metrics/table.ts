/**
 * The one table of what an installation counts. CloudWatch shows a metric by the name here, in the installation's namespace; Prometheus by that name in
 * its own spelling (`prometheusName`). docs/metrics.md lists them for people, and a test compares the two.
 */

/** How a metric adds up: a counter only grows, a gauge is what it was last set to, a histogram is of single values. */
export type MetricType = 'counter' | 'gauge' | 'histogram';

/** A row. */
export interface MetricRow {
  readonly type: MetricType;
  /** What one unit is; histograms of seconds have buckets from 5 ms to an hour. */
  readonly unit: 'Count' | 'Seconds' | 'Milliseconds';
  /** One sentence for people. */
  readonly help: string;
  /** What Prometheus tells apart. Few values each: a series is made for every combination that occurs. */
  readonly labels: readonly string[];
  /**
   * Whether it is a metric of CloudWatch as well: `few` always, `all` where the installation pays for all of them (`KPACKLESS_METRICS`), as each costs 0.30
   * US$ in a month in which it is sent all the time. A gauge is sent when it is not zero.
   */
  readonly onCloudWatch: 'never' | 'few' | 'all';
  /** Labels that are dimensions where all metrics are paid for: each combination of values is a metric more. */
  readonly dimensions: readonly string[];
}

const row = <const L extends readonly string[]>(
  type: MetricType,
  help: string,
  labels: L,
  rest: Partial<Pick<MetricRow, 'unit' | 'onCloudWatch' | 'dimensions'>> = {},
) => ({ type, help, labels, unit: 'Count', onCloudWatch: 'never', dimensions: [], ...rest }) as const;

const few = { onCloudWatch: 'few' } as const;
const all = { onCloudWatch: 'all' } as const;
const seconds = { unit: 'Seconds' } as const;

/** By name. */
export const metricTable = {
  Passes: row('counter', 'Passes that ended, by kind of object and outcome.', ['kind', 'outcome'], {
    ...few,
    dimensions: ['kind', 'outcome'],
  }),
  PassFailures: row('counter', 'Passes that threw, or could not be recorded, by kind of object.', ['kind'], few),
  PassSeconds: row('histogram', 'What a pass took.', ['kind'], { ...seconds, ...all, dimensions: ['kind'] }),
  MessageAgeSeconds: row('histogram', 'From the sending of the oldest message of a pass to its start.', ['kind'], {
    ...seconds,
    ...all,
    dimensions: ['kind'],
  }),
  ApiRequests: row(
    'counter',
    'Requests to API servers, by method and status; 0 where there was no answer.',
    ['method', 'status'],
    all,
  ),
  RegistryRequests: row(
    'counter',
    'Requests to registries, by method and status; 0 where there was no answer.',
    ['method', 'status'],
    all,
  ),
  GitRequests: row('counter', 'Looks at git repositories, by whether they were answered.', ['answered'], all),
  Builds: row('counter', 'Builds that ended, by why they were made and how they ended.', ['reason', 'result'], {
    ...few,
    dimensions: ['reason', 'result'],
  }),
  BuildFailures: row('counter', 'Builds that ended without an image, by how they ended.', ['result'], few),
  BuildStepSeconds: row('histogram', 'What a step of a build took.', ['step'], {
    ...seconds,
    ...all,
    dimensions: ['step'],
  }),
  CircuitsOpened: row('counter', 'Times that a cluster or host was left alone.', ['of'], few),
  ApiRefusals: row('counter', 'Requests that API servers answered with 429.', ['cluster'], few),
  ApiRepeats: row('counter', 'Requests to API servers that were made again.', ['cluster'], few),
  ApiWaitMilliseconds: row('counter', 'Time that requests to API servers waited for their turn.', ['cluster'], {
    unit: 'Milliseconds',
    ...few,
  }),
  ForeignMessages: row(
    'counter',
    'Messages that were dropped, as their sender does not speak for their cluster.',
    [],
    few,
  ),
  UnreadableMessages: row('counter', 'Messages that were dropped, as they are none of ours.', [], few),
  SilentRelays: row('gauge', 'Relays that have said nothing for three minutes.', [], few),
  DeadLetters: row('gauge', 'Messages that failed five times.', [], few),
  QueueMessages: row('gauge', 'Messages that wait or are worked on, by queue.', ['queue']),
  RelayMessages: row('counter', 'Messages that the relay sent, by queue.', ['queue']),
  RelayLagSeconds: row(
    'gauge',
    'For how long the oldest of what the relay has heard of waits to be sent.',
    ['cluster'],
    seconds,
  ),
  RelayUnwatchedKinds: row('gauge', 'Kinds that the relay does not watch at the moment.', ['cluster']),
  KubernetesEventsDropped: row(
    'counter',
    'Kubernetes Events that were not written, as too many were in their namespace.',
    [],
  ),
} satisfies Readonly<Record<string, MetricRow>>;

/** Name of a metric. */
export type MetricName = keyof typeof metricTable;

/** The labels that a metric wants. */
export type Labels<N extends MetricName> = Readonly<Record<(typeof metricTable)[N]['labels'][number], string>>;

/** A name as Prometheus spells it: snake case, the unit last, `_total` behind what only grows. */
export const prometheusName = (name: MetricName): string => {
  const { type }: MetricRow = metricTable[name];
  const snake = name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase();
  return `kpackless_${snake}${type === 'counter' ? '_total' : ''}`;
};
