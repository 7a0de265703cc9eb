/** What is bulk goes to a queue of its own, and straight while that one is not there (DESIGN §3.32). */
import { type SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { parseEnvelope } from '../../../lib/queue/envelope.ts';
import type { Message } from '../../../lib/queue/message.ts';
import { QueueError } from '../../../lib/queue/send.ts';
import { sqsSender } from '../../../lib/queue/sqs-sender.ts';

interface Sent {
  readonly queue: string;
  readonly body: string;
  readonly group: string;
  readonly id: string;
}

/** A sender whose entries are kept, by queue; those for a queue in `away` are refused as SQS refuses what is not there. */
const begin = (away: Set<string> = new Set()) => {
  const sent: Sent[] = [];
  const refused: string[] = [];
  let now = 0;
  const client = new SQSClient({ region: 'local', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });
  client.middlewareStack.add(
    () =>
      async ({ input }) => {
        const { QueueUrl = '', Entries = [] } = input as SendMessageBatchCommand['input'];
        if (away.has(QueueUrl)) {
          refused.push(QueueUrl);
          throw Object.assign(new Error('no'), { name: 'QueueDoesNotExist' });
        }
        for (const { MessageBody: body = '', MessageGroupId: group = '', MessageDeduplicationId: id = '' } of Entries)
          sent.push({ queue: QueueUrl, body, group, id });
        return { output: { $metadata: {}, Failed: [] }, response: {} };
      },
    { step: 'initialize', priority: 'high' },
  );
  const sender = sqsSender(
    client,
    (queue) => queue,
    () => Promise.resolve(),
    () => now,
  );
  const to = (queue: string): readonly Sent[] => sent.filter((one) => one.queue === queue);
  return { sender, to, refused, later: (seconds: number) => (now += seconds * 1000) };
};

const listed = (count: number, kind = 'ClusterBuilder', namespace = ''): readonly Message[] =>
  Array.from({ length: count }, (_, at) => {
    const target = { kind, namespace, name: `one-${at}` };
    const cause = { ...target, uid: 'u', resourceVersion: '1' };
    return { v: 1, cluster: 'one', epoch: 'e', target, cause, reason: 'list', occasion: '7@1' };
  });

describe('a sender', () => {
  it('sends a list of many aside, in lanes of its tenant, and a few straight', async () => {
    const { sender, to } = begin();
    await sender.send('image', listed(200, 'Image', 'team'));
    await sender.send('image', listed(3, 'Image', 'other'));
    expect(to('bulk')).toHaveLength(200);
    expect(new Set(to('bulk').map(({ group }) => group)).size).toBe(4);
    expect(to('image')).toHaveLength(3);
  });

  it('sends aside for which queue: an object’s own and its dependents’ are two wake-ups', async () => {
    const { sender, to } = begin();
    await sender.send('cluster-builder', listed(20));
    await sender.send('dependents', listed(20));
    const envelopes = to('bulk').map(({ body }) => parseEnvelope(body));
    const queues = envelopes.map((envelope) => ('to' in envelope ? envelope.to : 'none'));
    expect(
      Object.fromEntries([...Map.groupBy(queues, (queue) => queue)].map(([queue, all]) => [queue, all.length])),
    ).toEqual({
      'cluster-builder': 20,
      dependents: 20,
    });
    expect(new Set(to('bulk').map(({ id }) => id)).size).toBe(40);
  });

  it('sends everything straight while there is no bulk queue, and looks for it once a minute', async () => {
    const away = new Set(['bulk']);
    const { sender, to, refused, later } = begin(away);
    await sender.send('image', listed(20, 'Image', 'team'));
    expect(to('image')).toHaveLength(20);
    const tries = refused.length;
    await sender.send('image', listed(20, 'Image', 'team'));
    expect(to('image')).toHaveLength(40);
    expect(refused).toHaveLength(tries);
    away.clear();
    later(61);
    await sender.send('image', listed(20, 'Image', 'team'));
    expect([to('image').length, to('bulk').length]).toEqual([40, 20]);
  });

  it('does not take for sent what neither queue accepts', async () => {
    const { sender } = begin(new Set(['bulk', 'image']));
    await expect(sender.send('image', listed(20, 'Image', 'team'))).rejects.toThrow(QueueError);
  });
});
