import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { namingInvocation, within } from '../../../functions/invocation.ts';

const collecting = () => {
  const said: unknown[] = [];
  return { said, log: namingInvocation((_level, what, fields) => void said.push([what, fields])) };
};

describe('a line of the log', () => {
  it('names the invocation it was written in, whoever writes it and however late', async () => {
    const { said, log } = collecting();
    const left = within({ awsRequestId: 'one' }, async () => {
      await sleep(20);
      log('warn', 'left behind', { cluster: 'a' });
    });
    await within({ awsRequestId: 'two' }, async () => log('info', 'pass finished', { cluster: 'b' }));
    await left;
    expect(said).toEqual([
      ['pass finished', { requestId: 'two', cluster: 'b' }],
      ['left behind', { requestId: 'one', cluster: 'a' }],
    ]);
  });

  it('says nothing of it outside of Lambda', () => {
    const { said, log } = collecting();
    within({}, () => log('info', 'pass finished', { cluster: 'b' }));
    log('info', 'started');
    expect(said).toEqual([
      ['pass finished', { cluster: 'b' }],
      ['started', undefined],
    ]);
  });
});
