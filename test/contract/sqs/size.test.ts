/** The queue at the size of AWS's limits: too slow for every run, and nothing an independent one would answer in time. */

import { expect, it } from 'vitest';
import type { Draft } from '../../emulators/sqs/message.ts';
import { Queue } from '../../emulators/sqs/queue.ts';
import { defaultAttributes, settingsFrom } from '../../emulators/sqs/settings.ts';

const aQueue = (attributes: Readonly<Record<string, string>> = {}, fifo = true): Queue =>
  new Queue(settingsFrom({ ...defaultAttributes(fifo), ...attributes }), { changed: () => {}, giveUp: () => false });

const aDraft = (body: string, groupId = 'a', more: Partial<Draft> = {}): Draft => ({
  body,
  attributes: {},
  senderId: 'test',
  groupId,
  deduplicationId: body,
  ...more,
});
const all = { max: 10, visibilitySeconds: 30 };

/** CPU time of this thread: others that are busy do not count. */
const cpuMilliseconds = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

it('serves a hundred thousand messages without scanning them', () => {
  const queue = aQueue();
  const count = 100_000;
  const start = cpuMilliseconds();
  for (let i = 0; i < count; i += 1) queue.send(aDraft(`m${i}`, `g${i % 5000}`), 0);
  let received = 0;
  for (let batch = queue.receive(all, 1); batch.length > 0; batch = queue.receive(all, 1)) {
    received += batch.length;
    for (const { receiptHandle } of batch) queue.delete(receiptHandle, 1);
  }
  expect(received).toBe(count);
  expect(cpuMilliseconds() - start).toBeLessThan(20_000);
});

it('stops handing out FIFO messages at 120,000 in flight, without an error', () => {
  const queue = aQueue();
  for (let i = 0; i < 120_005; i += 1) queue.send(aDraft(`m${i}`, `g${i}`), 0);
  let received = 0;
  for (let batch = queue.receive(all, 1); batch.length > 0; batch = queue.receive(all, 1)) received += batch.length;
  expect(received).toBe(120_000);
  expect(queue.counts(1)).toEqual({ ready: 5, inFlight: 120_000, delayed: 0 });
});
