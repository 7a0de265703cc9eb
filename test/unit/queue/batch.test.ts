/** A batch: poison hurts nobody else, order is kept, nothing counts as done before it is (DESIGN §3.3). */
import { GetQueueAttributesCommand, ReceiveMessageCommand, StartMessageMoveTaskCommand } from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import { afterEach, describe, expect, it } from 'vitest';
import { type Receipts, runBatch } from '../../../lib/queue/batch.ts';
import { type Message, parseMessage } from '../../../lib/queue/message.ts';
import { StateError } from '../../../lib/state/table.ts';
import { type Story, story } from '../../support/story.ts';
import { applyImage, statusOf, storyReconciler } from '../../support/story-image.ts';

const message = (name: string, version: string): Message => {
  const target = { kind: 'Image', namespace: 'team', name };
  const cause = { ...target, uid: name, resourceVersion: version };
  return { v: 1, cluster: 'one', epoch: 'e', target, cause, reason: 'self' };
};

const recordFor = (body: string, messageId: string, receives = 1): SQSRecord => ({
  messageId,
  receiptHandle: `handle-${messageId}`,
  body,
  md5OfBody: '',
  messageAttributes: {},
  attributes: {
    ApproximateFirstReceiveTimestamp: '',
    ApproximateReceiveCount: String(receives),
    SenderId: '',
    SentTimestamp: '',
  },
  eventSource: 'aws:sqs',
  eventSourceARN: '',
  awsRegion: '',
});

/** Records of `names`, one message each; those in `received` come for the n-th time. */
const recordsOf = (names: readonly string[], received: Readonly<Record<string, number>> = {}): SQSRecord[] =>
  names.map((name, index) =>
    recordFor(JSON.stringify(message(name, String(index))), `${name}${index}`, received[name]),
  );

/** Runs a batch whose passes throw for `poison`, and notes what was done, in order. */
const run = async (
  records: SQSRecord[],
  poison: readonly string[] = [],
  away: readonly string[] = [],
  passing: readonly string[] = [],
) => {
  const done: string[] = [];
  const logged: string[] = [];
  const budgets: number[] = [];
  const counted: string[] = [];
  const receipts: Receipts = {
    delay: async (delayed, seconds) =>
      void done.push(`delay ${delayed.map(({ messageId }) => messageId).join()} ${seconds}`),
    delete: async (deleted) => void done.push(`delete ${deleted.map(({ messageId }) => messageId).join()}`),
    requeue: async (again) => void done.push(`requeue ${again.map(({ messageId }) => messageId).join()}`),
  };
  const answer = await runBatch({ Records: records }, () => 65, {
    receipts,
    log: (level, what, fields) => void logged.push(`${level} ${what} ${JSON.stringify(fields)}`),
    metrics: {
      add: (name, labels) => void counted.push([name, ...Object.values(labels)].join(' ')),
      flush: () => undefined,
    },
    mayWake: () => Promise.resolve(true),
    runPass: async ({ name }, messages, budget) => {
      budgets.push(budget);
      done.push(`pass ${name} of ${messages.length}`);
      if (poison.includes(name)) throw new TypeError(`${name} is poison`);
      if (away.includes(name)) throw new StateError('reading in table kpackless: throttled');
      return passing.includes(name) ? { result: 'failed', comesAgainSeconds: 1.5 } : 'settled';
    },
  });
  return {
    done,
    logged,
    budgets,
    counted,
    failed: answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier),
  };
};

describe('a batch', () => {
  it('runs one pass for all messages of a key', async () => {
    const { done } = await run(recordsOf(['a', 'b', 'a', 'a']));
    expect(done).toStrictEqual(['pass a of 3', 'pass b of 1']);
  });

  it('counts each pass by kind and outcome, how long it took and how long it had waited; those that threw or could not be recorded apart', async () => {
    const { counted } = await run(recordsOf(['a', 'bad', 'out', 'soon']), ['bad'], ['out'], ['soon']);
    const kind = message('a', '0').target.kind;
    expect(counted.toSorted()).toStrictEqual([
      ...Array.from({ length: 4 }, () => `MessageAgeSeconds ${kind}`),
      ...Array.from({ length: 2 }, () => `PassFailures ${kind}`),
      ...Array.from({ length: 2 }, () => `PassSeconds ${kind}`),
      `Passes ${kind} failed`,
      `Passes ${kind} settled`,
    ]);
  });

  it('a poison key fails all its own messages, in order, and no others', async () => {
    const { failed } = await run(recordsOf(['a', 'bad', 'bad', 'c']), ['bad']);
    expect(failed).toStrictEqual(['bad1', 'bad2']);
  });

  it.each([
    [1, 5],
    [2, 10],
    [3, 20],
    [4, 40],
    [12, 900],
  ])('after receive %i a failing key waits %i seconds', async (received, seconds) => {
    const { done } = await run(recordsOf(['bad'], { bad: received }), ['bad']);
    expect(done.at(-1)).toBe(`delay bad0 ${seconds}`);
  });

  it.each([
    [1, 'delay app0 5'],
    [2, 'delay app0 10'],
    [3, 'delay app0 15'],
    [4, 'requeue app0'],
    [5, 'requeue app0'],
  ])(
    'after receive %i a key that the table has no answer for: %s, so that no outage uses up its receives',
    async (received, what) => {
      const { done, failed, logged } = await run(recordsOf(['app', 'b'], { app: received }), [], ['app']);
      expect(done).toContain(what);
      expect(failed).toStrictEqual(['app0']);
      expect(logged.filter((line) => line.startsWith('error'))).toStrictEqual([]);
    },
  );

  it.each([
    [1, 'delay 5'],
    [4, 'requeue 2'],
  ])('of which nobody can say who sent it waits as well: after receive %i %s', async (received, what) => {
    const done: string[] = [];
    const running = runBatch({ Records: recordsOf(['a', 'b'], { b: received }) }, () => 65, {
      receipts: {
        delay: async (_, seconds) => void done.push(`delay ${seconds}`),
        delete: async () => void done.push('delete'),
        requeue: async (again) => void done.push(`requeue ${again.length}`),
      },
      log: () => undefined,
      mayWake: () => Promise.reject(new StateError('the table is away')),
      runPass: () => Promise.resolve('settled'),
    });
    await expect(running).rejects.toThrow('away');
    expect(done).toStrictEqual([what]);
  });

  it.each([
    [1, 30],
    [3, 120],
    [9, 900],
  ])(
    'leaves a message of a later version waiting, whatever else it says: receive %i, %i s',
    async (received, seconds) => {
      const later = recordFor(JSON.stringify({ v: 2, what: 'nobody here knows' }), 'later', received);
      const { done, failed, logged } = await run([...recordsOf(['a']), later]);
      expect(done).toStrictEqual([`delay later ${seconds}`, 'pass a of 1']);
      expect(failed).toStrictEqual(['later']);
      expect(logged.join()).toContain('waits for a function that knows it');
    },
  );

  it('takes a reason that it does not know for an event of the target that may never be skipped', () => {
    const parsed = parseMessage(JSON.stringify({ ...message('a', '7'), reason: 'because' }));
    expect(parsed).toMatchObject({ message: { reason: 'self', cause: { resourceVersion: '' } } });
  });

  it('of which nothing could be recorded is a failure of the function, so that Lambda polls less', async () => {
    await expect(run(recordsOf(['a', 'b']), [], ['a', 'b'])).rejects.toThrow('throttled');
    expect((await run(recordsOf(['a', 'bad']), ['bad'], ['a'])).failed).toStrictEqual(['a0', 'bad1']);
  });

  it('a key whose failure passes comes again in seconds, and others are done with', async () => {
    const { done, failed, logged } = await run(recordsOf(['app', 'b', 'app']), [], [], ['app']);
    expect(done.at(-1)).toBe('delay app0,app2 1.5');
    expect(failed).toStrictEqual(['app0', 'app2']);
    expect(logged.filter((line) => !line.startsWith('info'))).toStrictEqual([]);
  });

  it.each([
    [1, ['app0']],
    [2, ['app0']],
    [3, []],
    [4, []],
  ])(
    'after receive %i, what passes uses up no more receives than two: a bug has the others',
    async (received, failed) => {
      expect((await run(recordsOf(['app'], { app: received }), [], [], ['app'])).failed).toStrictEqual(failed);
    },
  );

  it('a key that may kill the function runs last, and what was finished before it is deleted already', async () => {
    const { done } = await run(recordsOf(['bad', 'a', 'b'], { bad: 2 }), ['bad']);
    expect(done.slice(-2)).toStrictEqual(['pass bad of 1', 'delay bad0 10']);
    expect(done.slice(0, -2).toSorted()).toStrictEqual(['delete a1', 'delete b2', 'pass a of 1', 'pass b of 1']);
  });

  it('without a suspect nothing is deleted one by one', async () => {
    const { done } = await run(recordsOf(['a', 'b']));
    expect(done).toStrictEqual(['pass a of 1', 'pass b of 1']);
  });

  it.each([
    ['no JSON', 'the body is not JSON'],
    ['{}', 'v: Invalid key'],
    [JSON.stringify({ ...message('a', '1'), reason: 7 }), 'reason: Invalid type'],
    [JSON.stringify({ ...message('a', '1'), cluster: '../x' }), 'cluster: Invalid format'],
    [JSON.stringify({ ...message('a', '1'), v: 'two' }), 'v: Invalid type'],
  ])('an unreadable message (%s) is acknowledged and counted, and the log says why', async (body, why) => {
    const { failed, done, logged, counted } = await run([recordFor(body, 'x')]);
    expect(failed).toStrictEqual([]);
    expect(done).toStrictEqual([]);
    expect(logged[0]).toContain('error message is unreadable and was dropped');
    expect(logged[0]).toContain(why);
    expect(counted).toStrictEqual(['UnreadableMessages']);
  });

  it('ten keys share the time of the function, so that the last one still has its turn', async () => {
    const { budgets } = await run(recordsOf(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']));
    // Five at once, so two turns: half of 65 − 5 seconds each, all of it for those who come last.
    expect(budgets.slice(0, 5)).toStrictEqual([30, 30, 30, 30, 30]);
    expect(budgets.at(-1)).toBe(60);
  });

  it('a pass that does not stop fails alone', async () => {
    const answer = await runBatch({ Records: recordsOf(['stuck', 'a']) }, () => 6, {
      receipts: { delay: async () => undefined, delete: async () => undefined, requeue: async () => undefined },
      log: () => undefined,
      mayWake: () => Promise.resolve(true),
      runPass: ({ name }) => (name === 'stuck' ? new Promise<never>(() => undefined) : Promise.resolve('settled')),
    });
    expect(answer.batchItemFailures).toStrictEqual([{ itemIdentifier: 'stuck0' }]);
  });
});

describe('poison on the queue', () => {
  let told: Story | undefined;
  afterEach(async () => {
    await told?.[Symbol.asyncDispose]();
    told = undefined;
  });

  it('is in the dead-letter queue after five receives; mended, it comes back by redrive and is worked off', async () => {
    const world = await story({ reconciler: storyReconciler(), queue: 'image' });
    told = world;
    await world.tell(applyImage(world.kube, 'app', { builder: 'base', wish: 'throw' }));
    await world.tell(applyImage(world.kube, 'web', { builder: 'base' }));
    for (let receive = 0; receive < 5; receive += 1) {
      await world.deliver();
      expect(statusOf(world.kube, 'web')?.seen).toBe('none');
      world.later(5 * 2 ** receive);
    }
    expect(await world.deliver()).toStrictEqual([]);
    expect([world.held('image'), world.held('image-dlq')]).toStrictEqual([0, 1]);

    applyImage(world.kube, 'app', { builder: 'base' });
    const { Attributes } = await world.queues.send(
      new GetQueueAttributesCommand({ QueueUrl: world.queueUrl('image-dlq'), AttributeNames: ['QueueArn'] }),
    );
    await world.queues.send(new StartMessageMoveTaskCommand({ SourceArn: Attributes?.['QueueArn'] }));
    world.later(2);
    expect(await world.deliver()).toStrictEqual(['settled']);
    expect(statusOf(world.kube, 'app')?.seen).toBe('none');
  });

  it('does not let later messages of its key overtake', async () => {
    const world = await story({ reconciler: storyReconciler(), queue: 'image' });
    told = world;
    await world.tell(applyImage(world.kube, 'app', { builder: 'base', wish: 'throw' }));
    await world.deliver();
    await world.tell(applyImage(world.kube, 'app', { builder: 'other', wish: 'throw' }));
    const { Messages } = await world.queues.send(new ReceiveMessageCommand({ QueueUrl: world.queueUrl('image') }));
    expect(Messages).toBeUndefined();
    world.later(5);
    const batch = await world.receive('image', 10);
    expect(batch.map(({ attributes }) => attributes.ApproximateReceiveCount)).toStrictEqual(['2', '1']);
  });
});
