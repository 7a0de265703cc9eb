/** The function of the bulk queue: nobody has more than a bound before him, and nothing is lost (DESIGN §3.32). */
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { handOn, mayGo, mostAhead } from '../../../lib/queue/hand-on.ts';
import type { Message } from '../../../lib/queue/message.ts';
import { QueueError } from '../../../lib/queue/send.ts';
import type { SentBy } from '../../../lib/queue/senders.ts';
import { StateError } from '../../../lib/state/table.ts';

const message = (name: string): Message => {
  const target = { kind: 'Image', namespace: 'team', name };
  const cause = { ...target, uid: 'u', resourceVersion: '1' };
  return { v: 1, cluster: 'one', epoch: 'e', target, cause, reason: 'list', bulk: true };
};
const record = (messageId: string, body: string, SenderId = 'AROAONE'): SQSRecord =>
  ({
    messageId,
    body,
    receiptHandle: messageId,
    attributes: { ApproximateReceiveCount: '1', SenderId },
    messageAttributes: {},
  }) as unknown as SQSRecord;
const batch = (count: number, to = 'image'): SQSEvent => ({
  Records: Array.from({ length: count }, (_, at) =>
    record(`m${at}`, JSON.stringify({ to, message: message(`app-${at}`) })),
  ),
});

/** Queues that hold so much already, and what was handed on. */
const begin = (held: Record<string, number>, { drains = 0 } = {}) => {
  const sent: string[] = [];
  const delayed: string[] = [];
  const logged: string[] = [];
  let fails = false;
  const ports = {
    straight: {
      send: async (queue: string, messages: readonly Message[]) => {
        if (fails) throw new QueueError('SQS is away');
        held[queue] = (held[queue] ?? 0) + messages.length;
        sent.push(...messages.map(({ target }) => `${queue} ${target.name}`));
      },
    },
    backlog: async (queue: string) => held[queue] ?? 0,
    receipts: {
      delay: async (records: readonly SQSRecord[], seconds: number) =>
        void delayed.push(...records.map(({ messageId }) => `${messageId} ${seconds}`)),
    },
    mayWake: async (_cluster: string, { senderId }: SentBy) => senderId !== 'AROAFOREIGN',
    log: (_level: string, what: string) => void logged.push(what),
    pause: async () => {
      for (const queue of Object.keys(held)) held[queue] = Math.max(0, (held[queue] ?? 0) - drains);
    },
  };
  return { ports, sent, delayed, logged, fail: () => (fails = true) };
};
const failures = ({ batchItemFailures }: { readonly batchItemFailures: readonly { itemIdentifier: string }[] }) =>
  batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);

describe('handing on', () => {
  it('takes a part of the room, as others look at the same time, and none of none', () => {
    expect([0, 20, 40, 47, 49, 50, 5000].map((backlog) => mayGo(backlog, 50))).toEqual([13, 8, 3, 1, 1, 0, 0]);
  });

  it('leaves one message for each invocation that may run, whatever the queue', () => {
    expect([mostAhead('image'), mostAhead('build'), mostAhead('dependents')]).toEqual([50, 50, 10]);
    // In an account with fewer executions its functions have fewer.
    expect([mostAhead('image', 50), mostAhead('dependents', 50), mostAhead('image', 10)]).toEqual([4, 2, 2]);
  });

  it('sends all in order while there is room', async () => {
    const { ports, sent, delayed } = begin({});
    expect(await handOn(batch(10), () => 60, ports)).toEqual({ batchItemFailures: [] });
    expect(sent).toEqual(Array.from({ length: 10 }, (_, at) => `image app-${at}`));
    expect(delayed).toEqual([]);
  });

  it('waits while the queue is full, and goes on as it empties', async () => {
    const { ports, sent } = begin({ image: 60 }, { drains: 5 });
    expect(await handOn(batch(10), () => 60, ports)).toEqual({ batchItemFailures: [] });
    expect(sent).toHaveLength(10);
  });

  it('gives its place to others when a queue stays full: the rest comes again in a second, in order', async () => {
    const { ports, sent, delayed } = begin({ image: 49 });
    const answer = await handOn(batch(10), () => 60, ports);
    expect(sent).toEqual(['image app-0']);
    expect(failures(answer)).toEqual(['m1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8', 'm9']);
    expect(delayed).toEqual(failures(answer).map((id) => `${id} 1`));
  });

  it('is not held up at one queue by another that is full', async () => {
    const { ports, sent } = begin({ build: 500 });
    const answer = await handOn(
      {
        Records: [...batch(2, 'build').Records, record('x', JSON.stringify({ to: 'image', message: message('app') }))],
      },
      () => 60,
      ports,
    );
    expect(sent).toEqual(['image app']);
    expect(failures(answer)).toEqual(['m0', 'm1']);
  });

  it('loses nothing when SQS is away, and tries again soon', async () => {
    const { ports, delayed, fail } = begin({});
    fail();
    expect(failures(await handOn(batch(2), () => 60, ports))).toEqual(['m0', 'm1']);
    expect(delayed).toEqual(['m0 5', 'm1 5']);
  });

  it('tries again soon what nobody can say the sender of, as the table is away', async () => {
    const { ports, delayed } = begin({});
    const mayWake = () => Promise.reject(new StateError('the table is away'));
    await expect(handOn(batch(2), () => 60, { ...ports, mayWake })).rejects.toThrow('away');
    expect(delayed).toStrictEqual(['m0 5', 'm1 5']);
  });

  it('leaves a message of a later version waiting, and one in an envelope of a later version', async () => {
    const { ports, sent, delayed } = begin({});
    const later = { to: 'image', message: { ...message('app'), v: 2 } };
    const records = [record('m1', JSON.stringify(later)), record('m2', JSON.stringify({ v: 2, whatever: 'it says' }))];
    expect(failures(await handOn({ Records: records }, () => 60, ports))).toEqual(['m1', 'm2']);
    expect(delayed).toEqual(['m1 30', 'm2 30']);
    expect(sent).toEqual([]);
  });

  it('drops what is unreadable, for a queue that nobody knows, or from who does not speak for the cluster', async () => {
    const { ports, sent, logged } = begin({});
    const good = JSON.stringify({ to: 'image', message: message('app') });
    const answer = await handOn(
      {
        Records: [
          record('m1', 'no JSON'),
          record('m2', JSON.stringify({ to: 'bulk', message: message('app') })),
          record('m3', JSON.stringify({ to: 'image', message: { ...message('app'), reason: 7 } })),
          record('m4', good, 'AROAFOREIGN'),
          record('m5', good),
        ],
      },
      () => 60,
      ports,
    );
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(sent).toEqual(['image app']);
    expect(logged.filter((what) => what.includes('unreadable'))).toHaveLength(3);
    expect(logged.filter((what) => what.includes('does not speak for'))).toHaveLength(1);
  });
});
