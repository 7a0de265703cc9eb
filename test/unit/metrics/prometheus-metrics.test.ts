/** What Prometheus reads from a long-running process (text exposition format 0.0.4). */
import { describe, expect, it } from 'vitest';
import { measured, prometheusMetrics } from '../../../lib/metrics/prometheus-metrics.ts';
import { serveHealth } from '../../../lib/relay/health.ts';

const linesOf = (text: string): readonly string[] =>
  text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

describe('what a process counted since its start', () => {
  it('is told by kind and outcome, with what each is', async () => {
    const metrics = prometheusMetrics();
    metrics.add('Passes', { kind: 'Image', outcome: 'settled' });
    metrics.add('Passes', { kind: 'Image', outcome: 'settled' });
    metrics.add('Passes', { kind: 'Build', outcome: 'again' });
    metrics.add('RelayLagSeconds', { cluster: 'one' }, 3);
    metrics.flush();
    const text = await metrics.text();
    expect(text).toContain('# TYPE kpackless_passes_total counter');
    expect(text).toContain('# HELP kpackless_passes_total Passes that ended, by kind of object and outcome.');
    expect(linesOf(text)).toEqual([
      'kpackless_passes_total{kind="Image",outcome="settled"} 2',
      'kpackless_passes_total{kind="Build",outcome="again"} 1',
      'kpackless_relay_lag_seconds{cluster="one"} 3',
    ]);
  });

  it('has buckets from five milliseconds to an hour', async () => {
    const metrics = prometheusMetrics();
    metrics.add('BuildStepSeconds', { step: 'build' }, 40);
    const lines = linesOf(await metrics.text());
    expect(lines).toContain('kpackless_build_step_seconds_bucket{le="30",step="build"} 0');
    expect(lines).toContain('kpackless_build_step_seconds_bucket{le="120",step="build"} 1');
    expect(lines).toContain('kpackless_build_step_seconds_sum{step="build"} 40');
  });

  it('takes no more memory for labels that somebody outside makes up: what is beyond 500 series is one of others', async () => {
    const metrics = prometheusMetrics();
    for (let word = 0; word < 2000; word += 1) metrics.add('ApiRequests', { method: 'GET', status: String(word) });
    const lines = linesOf(await metrics.text());
    expect(lines).toHaveLength(501);
    expect(lines).toContain('kpackless_api_requests_total{method="other",status="other"} 1500');
  });

  it('05#8 is served beside health, with gauges as they are at that moment', async () => {
    const metrics = prometheusMetrics();
    let waiting = 1;
    const health = await serveHealth('127.0.0.1', 0, {
      notReady: () => [],
      metrics: measured(metrics, () => metrics.add('QueueMessages', { queue: 'image' }, waiting)),
    });
    try {
      const read = async (): Promise<string> => {
        const answer = await fetch(`http://127.0.0.1:${health.port}/metrics`);
        expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
        return answer.text();
      };
      expect(linesOf(await read())).toEqual(['kpackless_queue_messages{queue="image"} 1']);
      waiting = 5;
      expect(linesOf(await read())).toEqual(['kpackless_queue_messages{queue="image"} 5']);
    } finally {
      await health.close();
    }
  });
});
