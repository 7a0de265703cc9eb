/** Batches and sizes. */

import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
} from '@aws-sdk/client-sqs';
import { expect } from 'vitest';
import { type Check, eventually, refusalOf, type World } from './world.ts';

const kib = 1024;
const sendAll = async ({ sqs }: World, QueueUrl: string, entries: readonly SendMessageBatchRequestEntry[]) =>
  sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: [...entries] }));
const plain = (...ids: readonly string[]) => ids.map((Id) => ({ Id, MessageBody: Id }));

export const batchChecks: readonly Check[] = [
  {
    name: 'a refused entry fails alone',
    run: async (world) => {
      const url = await world.fifo();
      const { Successful = [], Failed = [] } = await sendAll(world, url, [
        { Id: 'good', MessageBody: 'good', MessageGroupId: 'a', MessageDeduplicationId: '1' },
        { Id: 'bad', MessageBody: 'bad', MessageGroupId: 'a', MessageDeduplicationId: '2', DelaySeconds: 5 },
      ]);
      expect(Successful.map(({ Id }) => Id)).toEqual(['good']);
      expect(Failed).toMatchObject([{ Id: 'bad', SenderFault: true, Code: 'InvalidParameterValue' }]);
      expect(await world.bodies(url)).toEqual(['good']);
    },
  },
  {
    name: 'a batch keeps its order in a group',
    run: async (world) => {
      const url = await world.fifo();
      const ids = Array.from({ length: 10 }, (_, index) => `m${index}`);
      await sendAll(
        world,
        url,
        ids.map((Id) => ({ Id, MessageBody: Id, MessageGroupId: 'a', MessageDeduplicationId: Id })),
      );
      expect(await world.bodies(url)).toEqual(ids);
    },
  },
  {
    name: 'a batch has at most ten entries',
    run: async (world) => {
      const entries = plain('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10');
      expect(await refusalOf(sendAll(world, await world.standard(), entries))).toBe('TooManyEntriesInBatchRequest');
    },
  },
  {
    name: 'a batch has at least one entry',
    run: async (world) => {
      expect(await refusalOf(sendAll(world, await world.standard(), []))).toBe('EmptyBatchRequest');
    },
  },
  {
    name: 'the ids of a batch are distinct',
    run: async (world) => {
      expect(await refusalOf(sendAll(world, await world.standard(), plain('a', 'a')))).toBe('BatchEntryIdsNotDistinct');
    },
  },
  {
    name: 'the ids of a batch are words',
    run: async (world) => {
      expect(await refusalOf(sendAll(world, await world.standard(), plain('a b')))).toBe('InvalidBatchEntryId');
    },
  },
  {
    name: 'a batch has at most one mebibyte in all',
    run: async (world) => {
      const half = 'x'.repeat(512 * kib);
      const url = await world.standard();
      const pair = (second: string) => [
        { Id: 'a', MessageBody: half },
        { Id: 'b', MessageBody: second },
      ];
      expect((await sendAll(world, url, pair(half))).Successful).toHaveLength(2);
      expect(await refusalOf(sendAll(world, url, pair(`${half}x`)))).toBe('BatchRequestTooLong');
    },
  },
  {
    name: 'deleting a batch fails only for the handle that is none',
    run: async (world) => {
      const url = await world.standard();
      await world.send(url, 'x');
      const [message] = await world.receive(url, { WaitTimeSeconds: 1 });
      const Entries = [
        { Id: 'good', ReceiptHandle: message?.ReceiptHandle },
        { Id: 'bad', ReceiptHandle: 'bogus' },
      ];
      const { Successful = [], Failed = [] } = await world.sqs.send(
        new DeleteMessageBatchCommand({ QueueUrl: url, Entries }),
      );
      expect(Successful.map(({ Id }) => Id)).toEqual(['good']);
      expect(Failed).toMatchObject([{ Id: 'bad', SenderFault: true, Code: 'ReceiptHandleIsInvalid' }]);
    },
  },
  {
    name: 'changing visibility in a batch fails only for the handle that is none',
    run: async (world) => {
      const url = await world.standard();
      await world.send(url, 'x');
      const [message] = await world.receive(url, { WaitTimeSeconds: 1 });
      const Entries = [
        { Id: 'good', ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout: 0 },
        { Id: 'bad', ReceiptHandle: 'bogus', VisibilityTimeout: 0 },
      ];
      const { Successful = [], Failed = [] } = await world.sqs.send(
        new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries }),
      );
      expect(Successful.map(({ Id }) => Id)).toEqual(['good']);
      expect(Failed).toMatchObject([{ Id: 'bad', SenderFault: true, Code: 'ReceiptHandleIsInvalid' }]);
      expect(await world.bodies(url, { WaitTimeSeconds: 1 })).toEqual(['x']);
    },
  },
  {
    name: 'a message may have one mebibyte and no byte more',
    run: async ({ standard, attribute, send, receive }) => {
      const url = await standard();
      expect(await attribute(url, 'MaximumMessageSize')).toBe('1048576');
      await send(url, 'x'.repeat(1024 * kib));
      const [message] = await eventually(
        async () => receive(url),
        (messages) => messages.length > 0,
      );
      expect(message?.Body).toHaveLength(1024 * kib);
      expect(await refusalOf(send(url, 'x'.repeat(1024 * kib + 1)))).toBe('InvalidParameterValue');
    },
  },
  {
    name: 'a queue may allow less, and attributes count',
    run: async ({ standard, send }) => {
      const url = await standard({ MaximumMessageSize: '1024' });
      await send(url, 'x'.repeat(1024));
      expect(await refusalOf(send(url, 'x'.repeat(1025)))).toBe('InvalidParameterValue');
      const MessageAttributes = { name: { DataType: 'String', StringValue: 'value' } };
      expect(await refusalOf(send(url, 'x'.repeat(1020), { MessageAttributes }))).toBe('InvalidParameterValue');
    },
  },
  {
    name: 'a receive brings at most ten',
    run: async ({ standard, receive }) => {
      const url = await standard();
      expect(await refusalOf(receive(url, { MaxNumberOfMessages: 11 }))).toBe('InvalidParameterValue');
      expect(await refusalOf(receive(url, { MaxNumberOfMessages: 0 }))).toBe('InvalidParameterValue');
    },
  },
];
