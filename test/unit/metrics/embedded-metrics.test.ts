/** What CloudWatch is told: one line an invocation (CloudWatch embedded metric format specification). */
import { describe, expect, it } from 'vitest';
import { embeddedMetrics, type HowMany } from '../../../lib/metrics/embedded-metrics.ts';

const heard = (howMany: HowMany = 'few') => {
  const lines: Readonly<Record<string, unknown>>[] = [];
  return { lines, metrics: embeddedMetrics({ namespace: 'acme-prod', howMany }, (fields) => void lines.push(fields)) };
};

describe('what an invocation counted', () => {
  it('is one line in the installation’s namespace, counters added up, without a dimension to pay for, of the few that say most', () => {
    const { lines, metrics } = heard();
    metrics.add('Passes', { kind: 'Image', outcome: 'settled' });
    metrics.add('Passes', { kind: 'Build', outcome: 'again' });
    metrics.add('PassSeconds', { kind: 'Image' }, 0.25);
    metrics.add('ApiWaitMilliseconds', { cluster: 'one' }, 30);
    metrics.flush();
    expect(lines).toEqual([
      {
        _aws: {
          Timestamp: expect.any(Number) as unknown,
          CloudWatchMetrics: [
            {
              Namespace: 'acme-prod',
              Dimensions: [[]],
              Metrics: [
                { Name: 'Passes', Unit: 'Count' },
                { Name: 'ApiWaitMilliseconds', Unit: 'Milliseconds' },
              ],
            },
          ],
        },
        Passes: 2,
        ApiWaitMilliseconds: 30,
      },
    ]);
  });

  it('is a line for each combination of dimensions where all metrics are paid for', () => {
    const { lines, metrics } = heard('all');
    metrics.add('Passes', { kind: 'Image', outcome: 'settled' });
    metrics.add('Passes', { kind: 'Image', outcome: 'settled' });
    metrics.add('Passes', { kind: 'Image', outcome: '' });
    metrics.add('PassSeconds', { kind: 'Image' }, 0.25);
    metrics.add('PassSeconds', { kind: 'Image' }, 1.5);
    metrics.add('ApiRequests', { method: 'GET', status: '200' });
    metrics.flush();
    const shown = lines.map(({ _aws, ...rest }) => ({
      ...rest,
      by: (_aws as { CloudWatchMetrics: [{ Dimensions: unknown }] }).CloudWatchMetrics[0].Dimensions,
    }));
    expect(shown).toEqual([
      { by: [['kind', 'outcome']], kind: 'Image', outcome: 'settled', Passes: 2 },
      { by: [['kind', 'outcome']], kind: 'Image', outcome: 'other', Passes: 1 },
      { by: [['kind']], kind: 'Image', PassSeconds: [0.25, 1.5] },
      { by: [[]], ApiRequests: 1 },
    ]);
  });

  it('is at most fifty lines, whatever words come from outside', () => {
    const { lines, metrics } = heard('all');
    for (let word = 0; word < 1000; word += 1) metrics.add('Builds', { reason: `R${word}`, result: 'x' });
    metrics.flush();
    expect(lines).toHaveLength(50);
  });

  it('is forgotten once it is told, and of nothing no line is written', () => {
    const { lines, metrics } = heard();
    metrics.flush();
    metrics.add('ForeignMessages', {});
    metrics.flush();
    metrics.flush();
    metrics.add('ForeignMessages', {});
    metrics.flush();
    expect(lines.map((line) => line['ForeignMessages'])).toEqual([1, 1]);
  });

  it('leaves out what is none, what is not for CloudWatch, and no numbers', () => {
    const { lines, metrics } = heard();
    metrics.add('SilentRelays', {}, 0);
    metrics.add('QueueMessages', { queue: 'image' }, 7);
    metrics.add('PassSeconds', { kind: 'Image' }, Number.NaN);
    metrics.flush();
    expect(lines).toEqual([]);
  });

  it('has fewer than the hundred values of a metric that a line may have', () => {
    const { lines, metrics } = heard('all');
    for (let pass = 0; pass < 250; pass += 1) metrics.add('PassSeconds', { kind: 'Image' }, pass);
    metrics.flush();
    expect(lines).toHaveLength(1);
    expect(lines[0]?.['PassSeconds']).toHaveLength(99);
  });
});
