/** What an installation that wants fewer log lines still writes. */
import { describe, expect, it } from 'vitest';
import { count, countedIn, countOne } from '../../../lib/queue/count.ts';
import { atLeast, type Log } from '../../../lib/reconcile/log.ts';

const heard = (wrap: (log: Log) => Log) => {
  const lines: { readonly what: string; readonly fields: Readonly<Record<string, unknown>> }[] = [];
  return { lines, log: wrap((_level, what, fields = {}) => void lines.push({ what, fields })) };
};
const now = new Date(0);

describe('a log of warnings', () => {
  it('leaves out what went well, but not what counts something: metrics are made of these lines', () => {
    const { lines, log } = heard((inner) => atLeast('warn', inner));
    log('info', 'pass finished');
    log('info', 'counted', countOne('Passes', now));
    log('warn', 'pass could not be recorded');
    log('error', 'pass threw');
    expect(lines.map(({ what }) => what)).toEqual(['counted', 'pass could not be recorded', 'pass threw']);
  });
});

describe('what an installation counts', () => {
  it('is in its own namespace, all of it, and other lines are as they were', () => {
    const { lines, log } = heard((inner) => countedIn('acme-prod', inner));
    log('error', 'dropped', { cluster: 'one', ...count({ ForeignMessages: 1, ApiWaitMilliseconds: 2 }, now) });
    log('info', 'pass finished', { cluster: 'one' });
    expect(lines).toEqual([
      {
        what: 'dropped',
        fields: {
          cluster: 'one',
          ForeignMessages: 1,
          ApiWaitMilliseconds: 2,
          _aws: {
            Timestamp: 0,
            CloudWatchMetrics: [
              {
                Namespace: 'acme-prod',
                Dimensions: [[]],
                Metrics: [
                  { Name: 'ForeignMessages', Unit: 'Count' },
                  { Name: 'ApiWaitMilliseconds', Unit: 'Milliseconds' },
                ],
              },
            ],
          },
        },
      },
      { what: 'pass finished', fields: { cluster: 'one' } },
    ]);
  });
});
