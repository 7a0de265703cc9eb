/** In long-running processes: what was counted since the start, as Prometheus reads it (text exposition format 0.0.4) on the health port. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Metrics } from './metrics.ts';
import { type MetricName, type MetricRow, metricTable, prometheusName } from './table.ts';

/** Metrics that can be read. */
export interface ReadableMetrics extends Metrics {
  /** All of them, in the text format. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** From an answer of an API server to a build of an hour, in seconds. */
const buckets = [0.005, 0.02, 0.1, 0.5, 2, 10, 30, 120, 600, 3600];

/**
 * Series of one metric at most. Labels have few values, but kinds of the API server, steps and reasons come from outside: what is above that is counted as
 * `other`, so that nobody fills the memory.
 */
const mostSeries = 500;

/** Metrics in this process's memory; nothing is sent. */
export const prometheusMetrics = (): ReadableMetrics => {
  const registry = new Registry();
  const series = new Map<MetricName, Set<string>>();
  const made = new Map<MetricName, (labels: Readonly<Record<string, string>>, value: number) => void>();

  const make = (metric: MetricName) => {
    const { type, help, labels: labelNames }: MetricRow = metricTable[metric];
    const options = { name: prometheusName(metric), help, labelNames: [...labelNames], registers: [registry] };
    switch (type) {
      case 'counter': {
        const counter = new Counter(options);
        return (labels: object, value: number) => counter.inc(labels, value);
      }
      case 'gauge': {
        const gauge = new Gauge(options);
        return (labels: object, value: number) => gauge.set(labels, value);
      }
      case 'histogram': {
        const histogram = new Histogram({ ...options, buckets });
        return (labels: object, value: number) => histogram.observe(labels, value);
      }
    }
  };

  const bounded = (metric: MetricName, labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
    const known = series.get(metric) ?? new Set();
    series.set(metric, known);
    const key = JSON.stringify(labels);
    if (known.has(key)) return labels;
    if (known.size >= mostSeries) return Object.fromEntries(Object.keys(labels).map((name) => [name, 'other']));
    known.add(key);
    return labels;
  };

  return {
    add: (metric, labels, value = 1) => {
      if (!Number.isFinite(value) || (metricTable[metric].type === 'counter' && value < 0)) return;
      const add = made.get(metric) ?? make(metric);
      made.set(metric, add);
      add(bounded(metric, labels), value);
    },
    flush: () => undefined,
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
};

/** The same metrics, with `measure` run before each reading: it sets gauges to what is true then. */
export const measured = (
  metrics: ReadableMetrics,
  measure: () => void,
): Pick<ReadableMetrics, 'text' | 'contentType'> => ({
  contentType: metrics.contentType,
  text: () => {
    measure();
    return metrics.text();
  },
});
