/** Where what happens is counted. Adapters: CloudWatch's embedded format on AWS, Prometheus in long-running processes. */
import type { Labels, MetricName } from './table.ts';

/** Counts. Never throws, never waits: what is counted matters more than the count. */
export interface Metrics {
  /** Adds to a counter, sets a gauge, puts a value into a histogram; a counter grows by one without a value. */
  add<N extends MetricName>(name: N, labels: Labels<N>, value?: number): void;
  /** What has been counted since the last time goes out, where that is not by itself. At the end of each invocation. */
  flush(): void;
}

/** Counts nothing. */
export const noMetrics: Metrics = { add: () => undefined, flush: () => undefined };
