/** Deduplication ids, their scope, and what a FIFO queue demands of a sender. The five-minute window has its unit tests. */

import { CreateQueueCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { expect } from 'vitest';
import { type Check, refusalOf } from './world.ts';

export const deduplicationChecks: readonly Check[] = [
  {
    name: 'a repeated deduplication id is accepted under the first id and sequence number, and not delivered',
    run: async ({ fifo, sqs, bodies }) => {
      const QueueUrl = await fifo();
      const send = { QueueUrl, MessageGroupId: 'a', MessageDeduplicationId: 'same' };
      const first = await sqs.send(new SendMessageCommand({ ...send, MessageBody: 'first' }));
      const second = await sqs.send(new SendMessageCommand({ ...send, MessageBody: 'second' }));
      expect([second.MessageId, second.SequenceNumber]).toEqual([first.MessageId, first.SequenceNumber]);
      expect(await bodies(QueueUrl)).toEqual(['first']);
    },
  },
  {
    name: 'a deduplication id is remembered after its message was deleted',
    run: async ({ fifo, sendTo, receive, remove, bodies }) => {
      const url = await fifo();
      await sendTo(url, 'a', 'a1');
      const [first] = await receive(url);
      await remove(url, first);
      await sendTo(url, 'a', 'a1');
      expect(await bodies(url)).toEqual([]);
    },
  },
  {
    name: 'the queue is the scope of a deduplication id unless told otherwise',
    run: async ({ fifo, sendTo, bodies }) => {
      const url = await fifo();
      await sendTo(url, 'a', 'same');
      await sendTo(url, 'b', 'same');
      expect(await bodies(url)).toEqual(['same']);
    },
  },
  {
    name: 'with scope messageGroup the same id may be used once in every group',
    run: async ({ fifo, sendTo, bodies }) => {
      const url = await fifo({ DeduplicationScope: 'messageGroup', FifoThroughputLimit: 'perMessageGroupId' });
      await sendTo(url, 'a', 'same');
      await sendTo(url, 'b', 'same');
      await sendTo(url, 'b', 'same');
      expect(await bodies(url)).toEqual(['same', 'same']);
    },
  },
  {
    name: 'throughput per message group needs deduplication per message group',
    run: async ({ fifo }) => {
      expect(await refusalOf(fifo({ FifoThroughputLimit: 'perMessageGroupId' }))).toBe('InvalidParameterValue');
    },
  },
  {
    name: 'content-based deduplication takes equal bodies for one message',
    run: async ({ fifo, send, bodies }) => {
      const url = await fifo({ ContentBasedDeduplication: 'true' });
      await send(url, 'x', { MessageGroupId: 'a' });
      await send(url, 'x', { MessageGroupId: 'a' });
      await send(url, 'y', { MessageGroupId: 'a' });
      expect(await bodies(url)).toEqual(['x', 'y']);
    },
  },
  {
    name: 'an explicit id goes before the content',
    run: async ({ fifo, send, bodies }) => {
      const url = await fifo({ ContentBasedDeduplication: 'true' });
      await send(url, 'x', { MessageGroupId: 'a', MessageDeduplicationId: '1' });
      await send(url, 'x', { MessageGroupId: 'a', MessageDeduplicationId: '2' });
      expect(await bodies(url)).toEqual(['x', 'x']);
    },
  },
  {
    name: 'a FIFO queue demands a group',
    run: async ({ fifo, send }) => {
      expect(await refusalOf(send(await fifo(), 'x', { MessageDeduplicationId: '1' }))).toBe('MissingParameter');
    },
  },
  {
    name: 'a FIFO queue demands a deduplication id unless content tells',
    run: async ({ fifo, send }) => {
      expect(await refusalOf(send(await fifo(), 'x', { MessageGroupId: 'a' }))).toBe('InvalidParameterValue');
    },
  },
  {
    name: 'group and deduplication ids have at most 128 characters',
    run: async ({ fifo, send, bodies }) => {
      const url = await fifo();
      const long = 'i'.repeat(128);
      await send(url, 'fits', { MessageGroupId: long, MessageDeduplicationId: long });
      expect(await bodies(url)).toEqual(['fits']);
      const tooLong = { MessageGroupId: `${long}i`, MessageDeduplicationId: '1' };
      expect(await refusalOf(send(url, 'x', tooLong))).toBe('InvalidParameterValue');
      const tooLongId = { MessageGroupId: 'a', MessageDeduplicationId: `${long}i` };
      expect(await refusalOf(send(url, 'x', tooLongId))).toBe('InvalidParameterValue');
    },
  },
  {
    name: 'a FIFO queue refuses a delay per message',
    run: async ({ fifo, send }) => {
      const more = { MessageGroupId: 'a', MessageDeduplicationId: '1', DelaySeconds: 1 };
      expect(await refusalOf(send(await fifo(), 'x', more))).toBe('InvalidParameterValue');
    },
  },
  {
    name: 'the name of a FIFO queue ends in .fifo',
    run: async ({ sqs, newName }) => {
      const create = new CreateQueueCommand({ QueueName: newName(), Attributes: { FifoQueue: 'true' } });
      expect(await refusalOf(sqs.send(create))).toBe('InvalidParameterValue');
    },
  },
];
