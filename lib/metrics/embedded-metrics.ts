/** On Lambda: what an invocation counted is a log line or a few, of which CloudWatch makes metrics (embedded metric format); nothing is called. */
import { Metrics as PowertoolsMetrics } from '@aws-lambda-powertools/metrics';
import type { Metrics } from './metrics.ts';
import { type MetricRow, metricTable } from './table.ts';

/** How many metrics an installation pays for (docs/metrics.md). */
export type HowMany = 'few' | 'all';

/** Values of one metric that a line may have, less one: with a hundred, which is the format's limit, the library writes the line by itself. */
const mostValues = 99;
/** Combinations of dimensions that an invocation may write of: what is beyond is not worth a line each. */
const mostLines = 50;

/** What is to be said of one combination of dimensions. */
interface Line {
  readonly dimensions: Readonly<Record<string, string>>;
  readonly values: Map<string, { readonly unit: MetricRow['unit']; readonly type: MetricRow['type']; all: number[] }>;
}

/** The labels that are dimensions of a metric. Empty ones CloudWatch refuses. */
const dimensionsOf = (
  { dimensions }: MetricRow,
  labels: Readonly<Record<string, string>>,
  howMany: HowMany,
): Readonly<Record<string, string>> =>
  howMany === 'few' ? {} : Object.fromEntries(dimensions.map((name) => [name, labels[name] || 'other']));

/**
 * Metrics in the CloudWatch namespace `namespace`, as fields of log lines that `write` is handed. Counters are added up first, so an invocation writes
 * one value each.
 */
export const embeddedMetrics = (
  { namespace, howMany }: { readonly namespace: string; readonly howMany: HowMany },
  write: (fields: Readonly<Record<string, unknown>>) => void,
): Metrics => {
  const library = new PowertoolsMetrics({ namespace });
  // The library would have every metric know a service; one namespace is one installation.
  library.clearDefaultDimensions();
  const lines = new Map<string, Line>();

  const lineOf = (dimensions: Readonly<Record<string, string>>): Line | undefined => {
    const key = JSON.stringify(dimensions);
    const known = lines.get(key);
    if (known !== undefined || lines.size >= mostLines) return known;
    const line = { dimensions, values: new Map() };
    lines.set(key, line);
    return line;
  };

  const say = ({ dimensions, values }: Line): void => {
    const hasDimensions = Object.keys(dimensions).length > 0;
    if (hasDimensions) library.addDimensions({ ...dimensions });
    for (const [name, { unit, all }] of values) for (const value of all) library.addMetric(name, unit, value);
    const { _aws, ...rest } = library.serializeMetrics();
    // Without dimensions is one set without members (embedded metric format specification, "Dimensions"); the library leaves out the set.
    const CloudWatchMetrics = _aws.CloudWatchMetrics.map((metrics) => ({
      ...metrics,
      Dimensions: hasDimensions ? metrics.Dimensions : [[]],
    }));
    write({ _aws: { ..._aws, CloudWatchMetrics }, ...rest });
    library.clearMetrics();
    library.clearDimensions();
  };

  return {
    add: (name, labels, value = 1) => {
      const row: MetricRow = metricTable[name];
      const { type, unit, onCloudWatch } = row;
      if (onCloudWatch === 'never' || (onCloudWatch === 'all' && howMany === 'few')) return;
      if (!Number.isFinite(value) || (type === 'gauge' && value === 0)) return;
      const values = lineOf(dimensionsOf(row, labels, howMany))?.values;
      const { all } = values?.get(name) ?? { all: [] };
      const next = type === 'counter' ? [(all[0] ?? 0) + value] : [...all, value].slice(-mostValues);
      values?.set(name, { unit, type, all: next });
    },
    flush: () => {
      for (const line of lines.values()) say(line);
      lines.clear();
    },
  };
};
