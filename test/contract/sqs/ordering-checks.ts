/** FIFO groups: order, blocking, and what several receivers see (spec 06 §1, §3). */

import { ChangeMessageVisibilityCommand } from '@aws-sdk/client-sqs';
import { expect } from 'vitest';
import { type Check, refusalOf, seconds } from './world.ts';

const short = { VisibilityTimeout: '1' };

export const orderingChecks: readonly Check[] = [
  {
    name: 'one receive brings as many messages of a group as it may, in order',
    run: async ({ fifo, sendTo, bodies }) => {
      const url = await fifo();
      await sendTo(url, 'a', 'a1', 'a2', 'a3');
      expect(await bodies(url)).toEqual(['a1', 'a2', 'a3']);
    },
  },
  {
    name: 'a group that has a message in flight gives out no other',
    run: async ({ fifo, sendTo, bodies }) => {
      const url = await fifo();
      await sendTo(url, 'a', 'a1', 'a2');
      expect(await bodies(url, { MaxNumberOfMessages: 1 })).toEqual(['a1']);
      expect(await bodies(url)).toEqual([]);
    },
  },
  {
    name: 'a blocked group does not hold up the others',
    run: async ({ fifo, sendTo, bodies }) => {
      const url = await fifo();
      await sendTo(url, 'a', 'a1', 'a2');
      await sendTo(url, 'b', 'b1');
      expect(await bodies(url, { MaxNumberOfMessages: 1 })).toEqual(['a1']);
      expect(await bodies(url)).toEqual(['b1']);
    },
  },
  {
    name: 'messages of several groups in one receive keep the order inside each group',
    run: async ({ fifo, sendTo, bodies }) => {
      const url = await fifo();
      await sendTo(url, 'a', 'a1');
      await sendTo(url, 'b', 'b1');
      await sendTo(url, 'a', 'a2');
      await sendTo(url, 'b', 'b2');
      const received = await bodies(url);
      expect(received.filter((body) => body?.startsWith('a'))).toEqual(['a1', 'a2']);
      expect(received.filter((body) => body?.startsWith('b'))).toEqual(['b1', 'b2']);
    },
  },
  {
    name: 'deleting the message in flight frees its group',
    run: async ({ fifo, sendTo, receive, remove, bodies }) => {
      const url = await fifo();
      await sendTo(url, 'a', 'a1', 'a2');
      const [first] = await receive(url, { MaxNumberOfMessages: 1 });
      await remove(url, first);
      expect(await bodies(url)).toEqual(['a2']);
    },
  },
  {
    name: 'deleting some of a received batch leaves the group blocked',
    run: async ({ fifo, sendTo, receive, remove, bodies }) => {
      const url = await fifo();
      await sendTo(url, 'a', 'a1', 'a2', 'a3');
      const [first] = await receive(url, { MaxNumberOfMessages: 2 });
      await remove(url, first);
      expect(await bodies(url)).toEqual([]);
    },
  },
  {
    name: 'what was not deleted in time is received again in order, before what came later',
    run: async ({ fifo, sendTo, receive, remove, bodies }) => {
      const url = await fifo(short);
      await sendTo(url, 'a', 'a1', 'a2', 'a3', 'a4');
      const [first] = await receive(url, { MaxNumberOfMessages: 3 });
      await remove(url, first);
      await seconds(1.3);
      expect(await bodies(url)).toEqual(['a2', 'a3', 'a4']);
    },
  },
  {
    name: 'a message given back early is received again before its successors',
    run: async ({ fifo, sqs, sendTo, receive, bodies }) => {
      const url = await fifo();
      await sendTo(url, 'a', 'a1', 'a2');
      const [first] = await receive(url, { MaxNumberOfMessages: 1 });
      const give = { QueueUrl: url, ReceiptHandle: first?.ReceiptHandle, VisibilityTimeout: 0 };
      await sqs.send(new ChangeMessageVisibilityCommand(give));
      expect(await bodies(url)).toEqual(['a1', 'a2']);
    },
  },
  {
    name: 'extending the visibility of a message keeps its group blocked',
    run: async ({ fifo, sqs, sendTo, receive, bodies }) => {
      const url = await fifo(short);
      await sendTo(url, 'a', 'a1', 'a2');
      const [first] = await receive(url, { MaxNumberOfMessages: 1 });
      const extend = { QueueUrl: url, ReceiptHandle: first?.ReceiptHandle, VisibilityTimeout: 30 };
      await sqs.send(new ChangeMessageVisibilityCommand(extend));
      await seconds(1.3);
      expect(await bodies(url)).toEqual([]);
    },
  },
  {
    name: 'an expired receipt handle no longer deletes from a FIFO queue',
    run: async ({ fifo, sendTo, receive, remove, bodies }) => {
      const url = await fifo(short);
      await sendTo(url, 'a', 'a1');
      const [first] = await receive(url);
      await seconds(1.3);
      expect(await refusalOf(remove(url, first))).toBe('InvalidParameterValue');
      expect(await bodies(url)).toEqual(['a1']);
    },
  },
  {
    name: 'a repeated receive attempt gets the same messages and handles',
    run: async ({ fifo, sendTo, receive }) => {
      const url = await fifo();
      await sendTo(url, 'a', 'a1', 'a2');
      const first = await receive(url, { ReceiveRequestAttemptId: 'attempt' });
      const again = await receive(url, { ReceiveRequestAttemptId: 'attempt' });
      expect(first).toHaveLength(2);
      expect(again.map(({ Body, ReceiptHandle }) => [Body, ReceiptHandle])).toEqual(
        first.map(({ Body, ReceiptHandle }) => [Body, ReceiptHandle]),
      );
    },
  },
];
