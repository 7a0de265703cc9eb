/** Dead-letter queues and the way back (spec 06 §3, DESIGN §3.6). */

import {
  CancelMessageMoveTaskCommand,
  ListDeadLetterSourceQueuesCommand,
  ListMessageMoveTasksCommand,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { expect } from 'vitest';
import { sqsDeadLetters } from '../../../lib/queue/sqs-dead-letters.ts';
import { type Check, eventually, refusalOf, seconds, type World } from './world.ts';

const policy = (deadLetterTargetArn: string, maxReceiveCount = 1) =>
  ({ RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount }), VisibilityTimeout: '1' }) as const;

interface Pair {
  readonly source: string;
  readonly dead: string;
  readonly sourceArn: string;
  readonly deadArn: string;
}

/** A queue that gives up after one receive, and its dead-letter queue. */
const pair = async ({ standard, fifo, attribute }: World, kind: 'standard' | 'fifo'): Promise<Pair> => {
  const create = kind === 'fifo' ? fifo : standard;
  const dead = await create();
  const deadArn = await attribute(dead, 'QueueArn');
  const source = await create(policy(deadArn));
  return { source, dead, deadArn, sourceArn: await attribute(source, 'QueueArn') };
};

/** Receives and abandons until the source gives everything up. */
const giveUp = async ({ receive }: World, source: string): Promise<void> => {
  await receive(source, { WaitTimeSeconds: 1 });
  await seconds(1.2);
  await receive(source);
};

const start = async (
  { sqs }: World,
  SourceArn: string,
  more: { DestinationArn?: string; MaxNumberOfMessagesPerSecond?: number } = {},
) => sqs.send(new StartMessageMoveTaskCommand({ SourceArn, ...more }));

const tasks = async ({ sqs }: World, SourceArn: string) =>
  (await sqs.send(new ListMessageMoveTasksCommand({ SourceArn, MaxResults: 10 }))).Results ?? [];

const finished = async (world: World, arn: string) =>
  eventually(
    async () => tasks(world, arn),
    ([task]) => task?.Status !== 'RUNNING',
  );

export const redriveChecks: readonly Check[] = [
  {
    name: 'a message received too often goes to the dead-letter queue and names its source',
    run: async (world) => {
      const { source, dead, sourceArn } = await pair(world, 'standard');
      const id = await world.send(source, 'poison');
      await giveUp(world, source);
      const [message] = await world.receive(dead, { WaitTimeSeconds: 2 });
      expect([message?.Body, message?.MessageId]).toEqual(['poison', id]);
      expect(message?.Attributes?.['DeadLetterQueueSourceArn']).toBe(sourceArn);
    },
  },
  {
    name: 'giving a message up frees its group',
    run: async (world) => {
      const { source, dead } = await pair(world, 'fifo');
      await world.sendTo(source, 'a', 'poison', 'healthy');
      await world.receive(source, { MaxNumberOfMessages: 1 });
      await seconds(1.2);
      expect(await world.bodies(source)).toEqual(['healthy']);
      const [message] = await world.receive(dead, { WaitTimeSeconds: 2 });
      expect([message?.Body, message?.Attributes?.['MessageGroupId']]).toEqual(['poison', 'a']);
    },
  },
  {
    name: 'the dead letters of a FIFO queue are counted',
    run: async (world) => {
      const { source, dead, deadArn } = await pair(world, 'fifo');
      const letters = sqsDeadLetters(world.sqs, () => dead);
      expect(await letters.look('any')).toEqual({ arn: deadArn, messages: 0 });
      await world.sendTo(source, 'a', 'poison');
      await giveUp(world, source);
      expect(
        (
          await eventually(
            () => letters.look('any'),
            ({ messages }) => messages > 0,
          )
        ).messages,
      ).toBe(1);
    },
  },
  {
    name: 'a FIFO queue needs a FIFO dead-letter queue',
    run: async ({ standard, fifo, attribute }) => {
      const arn = await attribute(await standard(), 'QueueArn');
      expect(await refusalOf(fifo(policy(arn)))).toBe('InvalidParameterValue');
    },
  },
  {
    name: 'a standard queue needs a standard dead-letter queue',
    run: async ({ standard, fifo, attribute }) => {
      const arn = await attribute(await fifo(), 'QueueArn');
      expect(await refusalOf(standard(policy(arn)))).toBe('InvalidParameterValue');
    },
  },
  {
    name: 'a dead-letter queue has to exist',
    run: async ({ standard, attribute }) => {
      const arn = await attribute(await standard(), 'QueueArn');
      expect(await refusalOf(standard(policy(`${arn}-missing`)))).toBe('InvalidParameterValue');
    },
  },
  {
    name: 'a policy that allows one receive to a thousand is demanded',
    run: async ({ standard, attribute }) => {
      const arn = await attribute(await standard(), 'QueueArn');
      expect(await refusalOf(standard(policy(arn, 0)))).toBe('InvalidParameterValue');
      expect(await refusalOf(standard(policy(arn, 1001)))).toBe('InvalidParameterValue');
    },
  },
  {
    name: 'a dead-letter queue may refuse every source',
    run: async ({ standard, attribute }) => {
      const closed = { RedriveAllowPolicy: JSON.stringify({ redrivePermission: 'denyAll' }) };
      const arn = await attribute(await standard(closed), 'QueueArn');
      expect(await refusalOf(standard(policy(arn)))).toBe('InvalidParameterValue');
    },
  },
  {
    name: 'the sources of a dead-letter queue are listed',
    run: async (world) => {
      const { source, dead } = await pair(world, 'standard');
      const list = new ListDeadLetterSourceQueuesCommand({ QueueUrl: dead });
      expect((await world.sqs.send(list)).queueUrls).toEqual([source]);
    },
  },
  {
    name: 'a move task brings messages back where they came from, as new ones',
    run: async (world) => {
      const { source, dead, deadArn } = await pair(world, 'standard');
      const id = await world.send(source, 'poison');
      await giveUp(world, source);
      await start(world, deadArn);
      const [message] = await world.receive(source, { WaitTimeSeconds: 5 });
      expect([message?.Body, message?.Attributes?.['ApproximateReceiveCount']]).toEqual(['poison', '1']);
      expect(message?.MessageId).not.toBe(id);
      expect(await world.bodies(dead)).toEqual([]);
      expect((await finished(world, deadArn))[0]).toMatchObject({
        Status: 'COMPLETED',
        SourceArn: deadArn,
        ApproximateNumberOfMessagesMoved: 1,
      });
    },
  },
  {
    name: 'a move task keeps FIFO messages in their groups and in order',
    run: async (world) => {
      const { source, deadArn } = await pair(world, 'fifo');
      await world.sendTo(source, 'a', 'a1', 'a2');
      await giveUp(world, source);
      await start(world, deadArn);
      await finished(world, deadArn);
      const received = await eventually(
        async () => world.receive(source),
        (messages) => messages.length > 0,
      );
      expect(received.map(({ Body, Attributes }) => [Body, Attributes?.['MessageGroupId']])).toEqual([
        ['a1', 'a'],
        ['a2', 'a'],
      ]);
    },
  },
  {
    name: 'a move task may have another destination',
    run: async (world) => {
      const { source, deadArn } = await pair(world, 'standard');
      const other = await world.standard();
      await world.send(source, 'poison');
      await giveUp(world, source);
      await start(world, deadArn, { DestinationArn: await world.attribute(other, 'QueueArn') });
      expect(await world.bodies(other, { WaitTimeSeconds: 5 })).toEqual(['poison']);
    },
  },
  {
    name: 'one task runs at a time, shows its handle while it runs, and can be cancelled',
    run: async (world) => {
      const { source, deadArn } = await pair(world, 'standard');
      for (const body of ['1', '2', '3', '4', '5', '6']) await world.send(source, body);
      await giveUp(world, source);
      const { TaskHandle } = await start(world, deadArn, { MaxNumberOfMessagesPerSecond: 1 });
      expect(await refusalOf(start(world, deadArn))).toBe('UnsupportedOperation');
      const [running] = await tasks(world, deadArn);
      expect(running).toMatchObject({ Status: 'RUNNING', MaxNumberOfMessagesPerSecond: 1 });
      expect(running?.TaskHandle).toBeDefined();
      await world.sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle }));
      const [cancelled] = await eventually(
        async () => tasks(world, deadArn),
        ([task]) => task?.Status === 'CANCELLED',
      );
      expect(cancelled?.Status).toBe('CANCELLED');
      expect(cancelled?.TaskHandle).toBeUndefined();
      expect(cancelled?.ApproximateNumberOfMessagesMoved).toBeLessThan(6);
    },
  },
  {
    name: 'only a dead-letter queue can be redriven',
    run: async (world) => {
      const arn = await world.attribute(await world.standard(), 'QueueArn');
      expect(await refusalOf(start(world, arn))).toBe('InvalidParameterValue');
      expect(await refusalOf(start(world, `${arn}-missing`))).toBe('ResourceNotFoundException');
    },
  },
];
