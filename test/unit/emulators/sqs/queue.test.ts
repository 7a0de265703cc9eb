/** The queue under a clock that moves when told: windows of minutes and days in microseconds. */

import { describe, expect, it } from 'vitest';
import type { Draft } from '../../../emulators/sqs/message.ts';
import { Queue } from '../../../emulators/sqs/queue.ts';
import { defaultAttributes, settingsFrom } from '../../../emulators/sqs/settings.ts';

const second = 1000;
const minute = 60 * second;

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
const bodies = (queue: Queue, now: number, options = all): readonly string[] =>
  queue.receive(options, now).map(({ message }) => message.body);

describe('deduplication', () => {
  it('swallows a repeated id for five minutes, and not a moment longer', () => {
    const queue = aQueue();
    queue.send(aDraft('x'), 0);
    for (const { receiptHandle } of queue.receive(all, 0)) queue.delete(receiptHandle, 0);
    queue.send(aDraft('x'), 5 * minute - 1);
    expect(queue.counts(5 * minute - 1).ready).toBe(0);
    queue.send(aDraft('x'), 5 * minute);
    expect(queue.counts(5 * minute).ready).toBe(1);
  });

  it('counts the window from the first copy, however often the id is repeated', () => {
    const queue = aQueue();
    queue.send(aDraft('x'), 0);
    queue.send(aDraft('x'), 4 * minute);
    const again = queue.send(aDraft('x'), 6 * minute);
    expect(queue.counts(6 * minute).ready).toBe(2);
    expect(again.sequence).toBe(2);
  });

  it('answers a repetition with the first id and its own digest', () => {
    const queue = aQueue();
    const first = queue.send(aDraft('x', 'a', { deduplicationId: 'same' }), 0);
    const second_ = queue.send(aDraft('y', 'a', { deduplicationId: 'same' }), 1);
    expect(second_.id).toBe(first.id);
    expect(second_.bodyMd5).not.toBe(first.bodyMd5);
  });
});

describe('time', () => {
  it('drops a message after its retention, also while it is in flight', () => {
    const queue = aQueue({ MessageRetentionPeriod: '60' });
    queue.send(aDraft('x'), 0);
    queue.send(aDraft('y'), 30 * second);
    queue.receive({ max: 1, visibilitySeconds: 3600 }, 31 * second);
    expect(queue.counts(60 * second)).toEqual({ ready: 1, inFlight: 0, delayed: 0 });
    expect(bodies(queue, 61 * second)).toEqual(['y']);
  });

  it('gives an abandoned message back in its place, in the very millisecond', () => {
    const queue = aQueue();
    for (const body of ['a1', 'a2', 'a3']) queue.send(aDraft(body), 0);
    expect(bodies(queue, 0, { max: 2, visibilitySeconds: 30 })).toEqual(['a1', 'a2']);
    expect(bodies(queue, 30 * second - 1)).toEqual([]);
    expect(bodies(queue, 30 * second)).toEqual(['a1', 'a2', 'a3']);
  });

  it('keeps later messages of a group behind a delayed one', () => {
    const queue = aQueue({ DelaySeconds: '10' });
    queue.send(aDraft('a1'), 0);
    queue.settings = { ...queue.settings, delaySeconds: 0 };
    queue.send(aDraft('a2'), 1);
    expect(bodies(queue, 1)).toEqual([]);
    expect(bodies(queue, 10 * second)).toEqual(['a1', 'a2']);
  });

  it('remembers a receive attempt for as long as nothing happened to its messages', () => {
    const queue = aQueue();
    queue.send(aDraft('a1'), 0);
    const attempt = { ...all, attemptId: 'once' };
    const [first] = queue.receive(attempt, 0);
    const [again] = queue.receive(attempt, 20 * second);
    expect(again?.receiptHandle).toBe(first?.receiptHandle);
    expect(queue.counts(40 * second).inFlight, 'the replay hid it for another 30 s').toBe(1);
    queue.changeVisibility(first?.receiptHandle ?? '', 100, 40 * second);
    expect(queue.receive(attempt, 41 * second)).toEqual([]);
  });

  it('says when the next sleeper wakes', () => {
    const queue = aQueue();
    queue.send(aDraft('a1'), 0);
    expect(queue.wakesAt()).toBeUndefined();
    queue.receive(all, 0);
    expect(queue.wakesAt()).toBe(30 * second);
  });
});
