/** What an installation that wants fewer log lines still writes. */
import { describe, expect, it } from 'vitest';
import { atLeast, type Log } from '../../../lib/reconcile/log.ts';

const heard = (wrap: (log: Log) => Log) => {
  const lines: { readonly what: string; readonly fields: Readonly<Record<string, unknown>> }[] = [];
  return { lines, log: wrap((_level, what, fields = {}) => void lines.push({ what, fields })) };
};

describe('a log of warnings', () => {
  it('leaves out what went well, but not what counts something: metrics are made of these lines', () => {
    const { lines, log } = heard((inner) => atLeast('warn', inner));
    log('info', 'pass finished');
    log('info', 'counted', { _aws: {}, Passes: 1 });
    log('warn', 'pass could not be recorded');
    log('error', 'pass threw');
    expect(lines.map(({ what }) => what)).toEqual(['counted', 'pass could not be recorded', 'pass threw']);
  });
});
