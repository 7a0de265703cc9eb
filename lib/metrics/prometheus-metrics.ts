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

/** Values of a series that are gathered at most before the library takes them in. */
const mostGathered = 256;

/** Takes values in for a library that looks its labels up each time: a busy second has hundreds, and is read once in many. */
interface Series {
  add(value: number): void;
  /** Hands on what was gathered. */
  settle(): void;
}

const sumOf = (hand: (sum: number) => void): Series => {
  let sum = 0;
  return {
    add: (value) => {
      sum += value;
    },
    settle: () => {
      if (sum > 0) hand(sum);
      sum = 0;
    },
  };
};

const eachOf = (hand: (value: number) => void): Series => {
  let values: number[] = [];
  const settle = (): void => {
    for (const value of values) hand(value);
    values = [];
  };
  return {
    add: (value) => {
      values.push(value);
      if (values.length >= mostGathered) settle();
    },
    settle,
  };
};

/** Metrics in this process's memory; nothing is sent. */
export const prometheusMetrics = (): ReadableMetrics => {
  const registry = new Registry();
  const made = new Map<MetricName, (labels: Readonly<Record<string, string>>) => Series>();
  /** By metric, and in it by labels. */
  const series = new Map<MetricName, Map<string, Series>>();

  const make = (metric: MetricName): ((labels: Readonly<Record<string, string>>) => Series) => {
    const { type, help, labels: labelNames }: MetricRow = metricTable[metric];
    const options = { name: prometheusName(metric), help, labelNames: [...labelNames], registers: [registry] };
    switch (type) {
      case 'counter': {
        const counter = new Counter(options);
        return (labels) => sumOf((sum) => counter.inc(labels, sum));
      }
      case 'gauge': {
        const gauge = new Gauge(options);
        return (labels) => ({ add: (value) => gauge.set(labels, value), settle: () => undefined });
      }
      case 'histogram': {
        const histogram = new Histogram({ ...options, buckets });
        return (labels) => eachOf((value) => histogram.observe(labels, value));
      }
    }
  };

  const seriesOf = (metric: MetricName, labels: Readonly<Record<string, string>>): Series => {
    const known = series.get(metric) ?? new Map<string, Series>();
    series.set(metric, known);
    const key = Object.values(labels).join('\n');
    const found = known.get(key);
    if (found !== undefined) return found;
    const makeSeries = made.get(metric) ?? make(metric);
    made.set(metric, makeSeries);
    if (known.size < mostSeries) {
      const one = makeSeries(labels);
      known.set(key, one);
      return one;
    }
    const others = known.get(otherSeries) ?? makeSeries(othersOf(labels));
    known.set(otherSeries, others);
    return others;
  };

  return {
    add: (metric, labels, value = 1) => {
      if (!Number.isFinite(value) || (metricTable[metric].type === 'counter' && value < 0)) return;
      seriesOf(metric, labels).add(value);
    },
    flush: () => undefined,
    text: () => {
      for (const of of series.values()) for (const one of of.values()) one.settle();
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
};

/** Key of the series of everything beyond the bound: no labels come to it. */
const otherSeries = '\n\n\n';
const othersOf = (labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.keys(labels).map((name) => [name, 'other']));

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
