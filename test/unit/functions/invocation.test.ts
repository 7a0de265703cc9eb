import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { namingInvocation, within } from '../../../functions/invocation.ts';
import { noMetrics } from '../../../lib/metrics/metrics.ts';

const collecting = () => {
  const said: unknown[] = [];
  return { said, log: namingInvocation((_level, what, fields) => void said.push([what, fields])) };
};

describe('a line of the log', () => {
  it('names the invocation it was written in, whoever writes it and however late', async () => {
    const { said, log } = collecting();
    const left = within({ awsRequestId: 'one' }, noMetrics, async () => {
      await sleep(20);
      log('warn', 'left behind', { cluster: 'a' });
    });
    await within({ awsRequestId: 'two' }, noMetrics, async () => log('info', 'pass finished', { cluster: 'b' }));
    await left;
    expect(said).toEqual([
      ['pass finished', { requestId: 'two', cluster: 'b' }],
      ['left behind', { requestId: 'one', cluster: 'a' }],
    ]);
  });

  it('says nothing of it outside of Lambda', async () => {
    const { said, log } = collecting();
    await within({}, noMetrics, async () => log('info', 'pass finished', { cluster: 'b' }));
    log('info', 'started');
    expect(said).toEqual([
      ['pass finished', { cluster: 'b' }],
      ['started', undefined],
    ]);
  });
});

describe('an invocation', () => {
  it('lets out what it counted when it ends, also when it fails', async () => {
    const flushed: string[] = [];
    const metrics = { flush: () => void flushed.push('out') };
    expect(await within({}, metrics, async () => 'done')).toBe('done');
    await expect(within({ awsRequestId: 'one' }, metrics, () => Promise.reject(new Error('away')))).rejects.toThrow(
      'away',
    );
    expect(flushed).toEqual(['out', 'out']);
  });
});
