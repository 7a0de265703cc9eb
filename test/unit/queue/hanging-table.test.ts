/** A table that does not answer: each call waits for seconds, and still no function is ended by it and no receive used up (DESIGN §3.6). */
import type { SQSRecord } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { registrations } from '../../../lib/clusters/registrations.ts';
import { runBatch } from '../../../lib/queue/batch.ts';
import { mayWake } from '../../../lib/queue/senders.ts';
import { StateError } from '../../../lib/state/table.ts';

/** Milliseconds that a call to the table waits for an answer (lib/state/dynamodb-table.ts). */
const callMilliseconds = 5000;
/** Of the shortest function, and so many keys in one batch. */
const [timeoutSeconds, keys] = [60, 10];
const relay = 'AROARELAYOFONE000001';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const hang = async (): Promise<never> => {
  await new Promise((resolve) => setTimeout(resolve, callMilliseconds));
  throw new StateError('reading in table kpackless: no answer');
};

const recordFor = (name: string, received: number): SQSRecord => {
  const target = { kind: 'Image', namespace: 'team', name };
  const cause = { ...target, uid: 'u', resourceVersion: '1' };
  return {
    messageId: name,
    receiptHandle: name,
    body: JSON.stringify({ v: 1, cluster: 'one', epoch: 'e', target, cause, reason: 'self' }),
    attributes: { ApproximateReceiveCount: String(received), SenderId: `${relay}:s` },
    messageAttributes: {},
  } as unknown as SQSRecord;
};

/** One batch of the relay's messages, whose cluster the process has known for more than a minute. */
const batchOf = async (received: number) => {
  let isAway = false;
  const known = registrations(
    { registration: async () => (isAway ? hang() : { access: 'in-cluster', relayRoleId: relay }) },
    () => new Date(),
  );
  await known.get('one');
  await vi.advanceTimersByTimeAsync(60_000);
  isAway = true;
  const began = Date.now();
  const done: string[] = [];
  const errors: string[] = [];
  const note = (what: string) => async (records: readonly SQSRecord[], seconds?: number) =>
    void done.push(...records.map(() => [what, seconds].join(' ').trim()));
  const running = runBatch(
    { Records: Array.from({ length: keys }, (_, at) => recordFor(`app-${at}`, received)) },
    () => timeoutSeconds - (Date.now() - began) / 1000,
    {
      runPass: hang,
      receipts: { delay: note('delay'), delete: note('delete'), requeue: note('requeue') },
      mayWake: mayWake({ own: [], relayRoleId: async (cluster) => (await known.get(cluster))?.relayRoleId }),
      log: (level, what) => void (level === 'error' && errors.push(what)),
    },
  ).then(
    () => 'answered',
    (error: unknown) => (error instanceof Error ? error.name : 'threw'),
  );
  let endedAfter = Number.POSITIVE_INFINITY;
  const ended = running.then((end) => {
    endedAfter = (Date.now() - began) / 1000;
    return end;
  });
  await vi.advanceTimersByTimeAsync(4 * timeoutSeconds * 1000);
  return { end: await ended, endedAfter, done, errors };
};

describe('a table that does not answer', () => {
  it.each([
    [1, 'delay 5'],
    [2, 'delay 10'],
    [4, 'requeue'],
  ])(
    'costs a batch the time of two calls, and is nobody’s bug: after receive %i all are put off (%s)',
    async (received, what) => {
      const { end, endedAfter, done, errors } = await batchOf(received);
      expect(errors).toStrictEqual([]);
      expect(done).toStrictEqual(Array.from({ length: keys }, () => what));
      expect(end).toBe('StateError');
      expect(endedAfter).toBeLessThanOrEqual(10);
    },
  );
});
