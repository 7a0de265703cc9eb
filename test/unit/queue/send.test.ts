/** Sending: every wake-up is accepted before it is done, in order within a target, or it is an error (DESIGN §3.11). */
import { type SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { type Message, parseMessage } from '../../../lib/queue/message.ts';
import { QueueError } from '../../../lib/queue/send.ts';
import { sqsSender } from '../../../lib/queue/sqs-sender.ts';

const message = (name: string, version: number): Message => {
  const target = { kind: 'Image', namespace: 'team', name };
  const cause = { ...target, uid: 'u', resourceVersion: String(version) };
  return { v: 1, cluster: 'one', epoch: 'e', target, cause, reason: 'self' };
};

/** A client whose answers `refuse` decides, and what was accepted, in order; refused calls and entries are counted. */
const sending = (refuse: (attempt: number, shown: string) => 'entry' | 'call' | undefined) => {
  const accepted: string[] = [];
  const attempts = new Map<string, number>();
  let calls = 0;
  let largest = 0;
  const client = new SQSClient({ region: 'local', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });
  client.middlewareStack.add(
    () =>
      async ({ input }) => {
        const { Entries = [] } = input as SendMessageBatchCommand['input'];
        calls += 1;
        largest = Math.max(largest, Entries.length);
        const Failed: object[] = [];
        for (const { Id, MessageBody = '' } of Entries) {
          const parsed = parseMessage(MessageBody);
          if (!('message' in parsed)) throw new Error('an unreadable message was sent');
          const shown = `${parsed.message.target.name}@${parsed.message.cause.resourceVersion}`;
          const attempt = (attempts.get(shown) ?? 0) + 1;
          attempts.set(shown, attempt);
          const what = refuse(attempt, shown);
          if (what === 'call') throw new Error('connection reset');
          if (what === 'entry') Failed.push({ Id, Code: 'InternalError', SenderFault: false, Message: 'not now' });
          else accepted.push(shown);
        }
        return { output: { $metadata: {}, Failed }, response: {} };
      },
    { step: 'initialize', priority: 'high' },
  );
  const sender = sqsSender(
    client,
    (queue) => queue,
    () => Promise.resolve(),
  );
  return { sender, accepted, calls: () => calls, largest: () => largest };
};

describe('sending', () => {
  it('takes ten at a time and leaves nobody out', async () => {
    const { sender, accepted, largest } = sending(() => undefined);
    const names = Array.from({ length: 95 }, (_, index) => `app-${index}`);
    await sender.send(
      'image',
      names.map((name) => message(name, 1)),
    );
    expect(accepted.toSorted()).toStrictEqual(names.map((name) => `${name}@1`).toSorted());
    expect(largest()).toBe(10);
  });

  it('an entry that is refused once is not overtaken by later ones of its target', async () => {
    const { sender, accepted } = sending((attempt, shown) => (shown === 'a@1' && attempt < 3 ? 'entry' : undefined));
    await sender.send('image', [message('a', 1), message('b', 1), message('a', 2), message('a', 3)]);
    expect(accepted.filter((shown) => shown.startsWith('a'))).toStrictEqual(['a@1', 'a@2', 'a@3']);
    expect(accepted).toContain('b@1');
  });

  it('what was accepted is not sent again when a neighbour is refused', async () => {
    const { sender, accepted } = sending((attempt, shown) => (shown === 'a@1' && attempt === 1 ? 'entry' : undefined));
    await sender.send('image', [message('a', 1), message('b', 1)]);
    expect(accepted.toSorted()).toStrictEqual(['a@1', 'b@1']);
  });

  it('a call that fails is made again', async () => {
    const { sender, accepted } = sending((attempt) => (attempt === 1 ? 'call' : undefined));
    await sender.send('image', [message('a', 1)]);
    expect(accepted).toStrictEqual(['a@1']);
  });

  it('what is never accepted is an error: nobody may take it for sent', async () => {
    const { sender } = sending((_, shown) => (shown === 'a@1' ? 'entry' : undefined));
    const sent = sender.send('image', [message('a', 1), message('a', 2)]);
    await expect(sent).rejects.toThrow(QueueError);
    await expect(sent).rejects.toThrow('InternalError');
  });

  it('nothing to send is no call', async () => {
    const { sender, calls } = sending(() => undefined);
    await sender.send('image', []);
    expect(calls()).toBe(0);
  });
});
