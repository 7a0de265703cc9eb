/** Queues as a whole, attributes of messages, and what is not a message at all. */

import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  PurgeQueueCommand,
  type QueueAttributeName,
  SendMessageCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs';
import { expect } from 'vitest';
import { type Check, eventually, refusalOf, type World } from './world.ts';

const attributesOf = async ({ sqs }: World, QueueUrl: string, ...names: readonly QueueAttributeName[]) =>
  (await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...names] }))).Attributes ?? {};

export const queueChecks: readonly Check[] = [
  {
    name: 'a queue is found by its name, and not after it was deleted',
    run: async ({ sqs, standard }) => {
      const url = await standard();
      const find = new GetQueueUrlCommand({ QueueName: url.slice(url.lastIndexOf('/') + 1) });
      expect((await sqs.send(find)).QueueUrl).toBe(url);
      await sqs.send(new DeleteQueueCommand({ QueueUrl: url }));
      expect(
        await eventually(
          async () => refusalOf(sqs.send(find)).catch(() => ''),
          (name) => name !== '',
        ),
      ).toBe('QueueDoesNotExist');
    },
  },
  {
    name: 'a queue that does not exist takes no messages',
    run: async ({ standard, send, receive }) => {
      const url = `${await standard()}-missing`;
      expect(await refusalOf(send(url, 'x'))).toBe('QueueDoesNotExist');
      expect(await refusalOf(receive(url))).toBe('QueueDoesNotExist');
    },
  },
  {
    name: 'creating a queue again is fine with the same attributes and refused with others',
    run: async ({ sqs, standard }) => {
      const url = await standard({ VisibilityTimeout: '7' });
      const again = (VisibilityTimeout: string) =>
        sqs.send(
          new CreateQueueCommand({ QueueName: url.slice(url.lastIndexOf('/') + 1), Attributes: { VisibilityTimeout } }),
        );
      expect((await again('7')).QueueUrl).toBe(url);
      expect(await refusalOf(again('8'))).toBe('QueueNameExists');
    },
  },
  {
    name: 'queues are listed by prefix and in pages',
    run: async ({ sqs, newName }) => {
      const prefix = newName().slice(0, 40);
      for (const end of ['a', 'b', 'c']) await sqs.send(new CreateQueueCommand({ QueueName: `${prefix}-${end}` }));
      const first = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: prefix, MaxResults: 2 }));
      const { NextToken } = first;
      const rest = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: prefix, MaxResults: 2, NextToken }));
      const urls = [...(first.QueueUrls ?? []), ...(rest.QueueUrls ?? [])];
      expect([first.QueueUrls?.length, rest.QueueUrls?.length, rest.NextToken]).toEqual([2, 1, undefined]);
      expect(urls.map((url) => url.slice(-2))).toEqual(['-a', '-b', '-c']);
      for (const QueueUrl of urls) await sqs.send(new DeleteQueueCommand({ QueueUrl }));
    },
  },
  {
    name: 'attributes out of range or unknown are refused',
    run: async ({ standard }) => {
      expect(await refusalOf(standard({ VisibilityTimeout: '43201' }))).toBe('InvalidAttributeValue');
      expect(await refusalOf(standard({ DelaySeconds: '901' }))).toBe('InvalidAttributeValue');
      expect(await refusalOf(standard({ MaximumMessageSize: '1048577' }))).toBe('InvalidAttributeValue');
      expect(await refusalOf(standard({ Nonsense: '1' }))).toBe('InvalidAttributeName');
    },
  },
  {
    name: 'a changed attribute is in force',
    run: async (world) => {
      const url = await world.standard();
      await world.sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { VisibilityTimeout: '77' } }));
      const changed = await eventually(
        async () => world.attribute(url, 'VisibilityTimeout'),
        (value) => value === '77',
      );
      expect(changed).toBe('77');
    },
  },
  {
    name: 'a new queue has the documented defaults',
    run: async (world) => {
      expect(await attributesOf(world, await world.fifo(), 'All')).toMatchObject({
        VisibilityTimeout: '30',
        DelaySeconds: '0',
        MessageRetentionPeriod: '345600',
        ReceiveMessageWaitTimeSeconds: '0',
        FifoQueue: 'true',
        ContentBasedDeduplication: 'false',
        DeduplicationScope: 'queue',
        FifoThroughputLimit: 'perQueue',
      });
    },
  },
  {
    name: 'waiting, hidden and delayed messages are counted apart',
    run: async (world) => {
      const url = await world.standard();
      for (const body of ['1', '2', '3']) await world.send(url, body);
      await world.send(url, 'late', { DelaySeconds: 60 });
      await eventually(
        async () => world.receive(url, { MaxNumberOfMessages: 1 }),
        (messages) => messages.length > 0,
      );
      const names = [
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesNotVisible',
        'ApproximateNumberOfMessagesDelayed',
      ] as const;
      const counts = await eventually(
        async () => names.map((name) => name).length && attributesOf(world, url, ...names),
        (answer) => typeof answer === 'object' && answer['ApproximateNumberOfMessages'] === '2',
      );
      expect(counts).toEqual({ [names[0]]: '2', [names[1]]: '1', [names[2]]: '1' });
    },
  },
  {
    name: 'a purge takes everything, and once a minute only',
    run: async ({ sqs, fifo, sendTo, bodies }) => {
      const url = await fifo();
      await sendTo(url, 'a', 'a1', 'a2');
      await sqs.send(new PurgeQueueCommand({ QueueUrl: url }));
      expect(await bodies(url)).toEqual([]);
      expect(await refusalOf(sqs.send(new PurgeQueueCommand({ QueueUrl: url })))).toBe('PurgeQueueInProgress');
    },
  },
  {
    name: 'a received message tells when, how often, by whom, and its place in the group',
    run: async ({ fifo, sendTo, receive }) => {
      const url = await fifo();
      const before = Date.now();
      await sendTo(url, 'a', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'a8');
      const received = await receive(url);
      const [first] = received;
      expect(first?.Attributes).toMatchObject({
        ApproximateReceiveCount: '1',
        MessageGroupId: 'a',
        MessageDeduplicationId: 'a1',
        SenderId: expect.any(String) as string,
      });
      expect(Math.abs(Number(first?.Attributes?.['SentTimestamp']) - before)).toBeLessThan(60_000);
      const places = received.map((message) => message.Attributes?.['SequenceNumber'] ?? '');
      expect(places).toHaveLength(8);
      expect(places).toEqual([...places].sort((one, other) => (BigInt(one) < BigInt(other) ? -1 : 1)));
    },
  },
  {
    name: 'attributes are given only when asked for',
    run: async ({ fifo, sendTo, receive }) => {
      const url = await fifo();
      await sendTo(url, 'a', 'a1');
      const [message] = await receive(url, { MessageSystemAttributeNames: ['MessageGroupId'] });
      expect(message?.Attributes).toEqual({ MessageGroupId: 'a' });
    },
  },
  {
    name: 'a standard queue takes a group and gives it back',
    run: async ({ standard, send, receive }) => {
      const url = await standard();
      await send(url, 'x', { MessageGroupId: 'tenant' });
      const [message] = await receive(url, { WaitTimeSeconds: 2 });
      expect(message?.Attributes?.['MessageGroupId']).toBe('tenant');
    },
  },
  {
    name: 'message attributes travel with their types and the digest AWS computes',
    run: async ({ sqs, standard, receive }) => {
      const QueueUrl = await standard();
      const MessageAttributes = {
        city: { DataType: 'String', StringValue: 'Zürich' },
        count: { DataType: 'Number', StringValue: '7' },
        raw: { DataType: 'Binary', BinaryValue: Uint8Array.of(0, 255, 16) },
      };
      const sent = await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x', MessageAttributes }));
      const [message] = await receive(QueueUrl, { MessageAttributeNames: ['All'], WaitTimeSeconds: 2 });
      expect(sent.MD5OfMessageAttributes).toBe('d35a57ba05c8c0cc323eadfe816fe0c0');
      expect(message?.MD5OfMessageAttributes).toBe(sent.MD5OfMessageAttributes);
      expect(message?.MessageAttributes).toMatchObject({
        city: MessageAttributes.city,
        count: MessageAttributes.count,
        raw: { DataType: 'Binary' },
      });
      expect([...(message?.MessageAttributes?.['raw']?.BinaryValue ?? [])]).toEqual([0, 255, 16]);
    },
  },
  {
    name: 'message attributes may be asked for by name and by prefix',
    run: async ({ standard, send, receive }) => {
      const url = await standard();
      const value = { DataType: 'String', StringValue: 'v' };
      const MessageAttributes = { 'app.one': value, 'app.two': value, other: value, third: value };
      await send(url, 'x', { MessageAttributes });
      const [message] = await receive(url, { MessageAttributeNames: ['app.*', 'third'], WaitTimeSeconds: 2 });
      expect(Object.keys(message?.MessageAttributes ?? {}).sort()).toEqual(['app.one', 'app.two', 'third']);
    },
  },
  {
    name: 'a message has at most ten attributes',
    run: async ({ standard, send }) => {
      const value = { DataType: 'String', StringValue: 'v' };
      const MessageAttributes = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`a${index}`, value]));
      expect(await refusalOf(send(await standard(), 'x', { MessageAttributes }))).toBe('InvalidParameterValue');
    },
  },
  {
    name: 'a message is not empty',
    run: async ({ standard, send }) => {
      expect(await refusalOf(send(await standard(), ''))).toBe('MissingParameter');
    },
  },
  {
    name: 'control characters are refused, all other text arrives as it was',
    run: async ({ standard, send, bodies }) => {
      const url = await standard();
      const odd = '{"a":"ü\\u0000 😀\t\r\n"}';
      await send(url, odd);
      expect(await bodies(url, { WaitTimeSeconds: 2 })).toEqual([odd]);
      expect(await refusalOf(send(url, 'a\u0001b'))).toBe('InvalidMessageContents');
    },
  },
];
