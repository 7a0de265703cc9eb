/** Hiding, giving back, delaying and waiting for messages. */

import { ChangeMessageVisibilityCommand, type Message } from '@aws-sdk/client-sqs';
import { expect } from 'vitest';
import { type Check, refusalOf, seconds, type World } from './world.ts';

const change = async ({ sqs }: World, url: string, message: Message | undefined, seconds_: number) =>
  sqs.send(
    new ChangeMessageVisibilityCommand({
      QueueUrl: url,
      ReceiptHandle: message?.ReceiptHandle,
      VisibilityTimeout: seconds_,
    }),
  );

/** Runs a long poll beside something that happens after `ms`; answers the bodies and how long the poll took. */
const pollWhile = async (
  { bodies }: World,
  url: string,
  ms: number,
  happen: () => Promise<unknown>,
): Promise<readonly [readonly (string | undefined)[], number]> => {
  const start = Date.now();
  const [received] = await Promise.all([bodies(url, { WaitTimeSeconds: 20 }), seconds(ms / 1000).then(happen)]);
  return [received, Date.now() - start];
};

export const visibilityChecks: readonly Check[] = [
  {
    name: 'a received message is hidden for the queue’s visibility timeout and then comes again, counted',
    run: async ({ standard, send, receive }) => {
      const url = await standard({ VisibilityTimeout: '1' });
      await send(url, 'x');
      const [first] = await receive(url, { WaitTimeSeconds: 1 });
      expect(await receive(url)).toEqual([]);
      const [second] = await receive(url, { WaitTimeSeconds: 3 });
      expect([first, second].map((message) => message?.Attributes?.['ApproximateReceiveCount'])).toEqual(['1', '2']);
      expect(second?.ReceiptHandle).not.toBe(first?.ReceiptHandle);
    },
  },
  {
    name: 'a receive may name its own visibility',
    run: async ({ standard, send, receive, bodies }) => {
      const url = await standard();
      await send(url, 'x');
      await receive(url, { VisibilityTimeout: 1, WaitTimeSeconds: 1 });
      await seconds(1.2);
      expect(await bodies(url, { WaitTimeSeconds: 2 })).toEqual(['x']);
    },
  },
  {
    name: 'a message may be given back at once',
    run: async (world) => {
      const { standard, send, receive, bodies } = world;
      const url = await standard();
      await send(url, 'x');
      const [first] = await receive(url, { WaitTimeSeconds: 1 });
      await change(world, url, first, 0);
      expect(await bodies(url, { WaitTimeSeconds: 2 })).toEqual(['x']);
    },
  },
  {
    name: 'visibility beyond twelve hours is refused',
    run: async (world) => {
      const url = await world.standard();
      await world.send(url, 'x');
      const [first] = await world.receive(url, { WaitTimeSeconds: 1 });
      expect(await refusalOf(change(world, url, first, 43_201))).toBe('InvalidParameterValue');
    },
  },
  {
    name: 'twelve hours count from the receive, not from the extension',
    run: async (world) => {
      const url = await world.standard();
      await world.send(url, 'x');
      const [first] = await world.receive(url, { WaitTimeSeconds: 1 });
      await seconds(1.5);
      expect(await refusalOf(change(world, url, first, 43_200))).toBe('InvalidParameterValue');
    },
  },
  {
    name: 'the visibility of a message that is not in flight cannot be changed',
    run: async (world) => {
      const url = await world.standard();
      await world.send(url, 'x');
      const [first] = await world.receive(url, { WaitTimeSeconds: 1 });
      await change(world, url, first, 0);
      expect(await refusalOf(change(world, url, first, 10))).toBe('MessageNotInflight');
    },
  },
  {
    name: 'a handle the queue never gave out is refused',
    run: async (world) => {
      const url = await world.standard();
      expect(await refusalOf(world.remove(url, { ReceiptHandle: 'bogus' }))).toBe('ReceiptHandleIsInvalid');
      expect(await refusalOf(change(world, url, { ReceiptHandle: 'bogus' }, 1))).toBe('ReceiptHandleIsInvalid');
    },
  },
  {
    name: 'deleting twice is not an error',
    run: async ({ standard, send, receive, remove, bodies }) => {
      const url = await standard({ VisibilityTimeout: '1' });
      await send(url, 'x');
      const [first] = await receive(url, { WaitTimeSeconds: 1 });
      await remove(url, first);
      await remove(url, first);
      await seconds(1.2);
      expect(await bodies(url)).toEqual([]);
    },
  },
  {
    name: 'a message in flight no more can still be deleted from a standard queue with its latest handle',
    run: async ({ standard, send, receive, remove, bodies }) => {
      const url = await standard({ VisibilityTimeout: '1' });
      await send(url, 'x');
      const [first] = await receive(url, { WaitTimeSeconds: 1 });
      await seconds(1.2);
      await remove(url, first);
      expect(await bodies(url, { WaitTimeSeconds: 1 })).toEqual([]);
    },
  },
  {
    name: 'a standard queue honours a delay per message',
    run: async ({ standard, send, bodies }) => {
      const url = await standard();
      await send(url, 'late', { DelaySeconds: 1 });
      expect(await bodies(url)).toEqual([]);
      expect(await bodies(url, { WaitTimeSeconds: 4 })).toEqual(['late']);
    },
  },
  {
    name: 'a delay beyond fifteen minutes is refused',
    run: async ({ standard, send }) => {
      expect(await refusalOf(send(await standard(), 'x', { DelaySeconds: 901 }))).toBe('InvalidParameterValue');
    },
  },
  {
    name: 'a FIFO queue honours its own delay',
    run: async ({ fifo, sendTo, bodies }) => {
      const url = await fifo({ DelaySeconds: '1' });
      await sendTo(url, 'a', 'a1', 'a2');
      expect(await bodies(url)).toEqual([]);
      await seconds(1.3);
      expect(await bodies(url)).toEqual(['a1', 'a2']);
    },
  },
  {
    name: 'a long poll answers as soon as a message is sent',
    run: async (world) => {
      const url = await world.fifo();
      const [received, tookMs] = await pollWhile(world, url, 300, async () => world.sendTo(url, 'a', 'a1'));
      expect(received).toEqual(['a1']);
      expect(tookMs).toBeLessThan(15_000);
    },
  },
  {
    name: 'a long poll answers as soon as a group is freed',
    run: async (world) => {
      const url = await world.fifo();
      await world.sendTo(url, 'a', 'a1', 'a2');
      const [first] = await world.receive(url, { MaxNumberOfMessages: 1 });
      const [received, tookMs] = await pollWhile(world, url, 300, async () => world.remove(url, first));
      expect(received).toEqual(['a2']);
      expect(tookMs).toBeLessThan(15_000);
    },
  },
  {
    name: 'a long poll answers as soon as a visibility timeout ends',
    run: async (world) => {
      const url = await world.fifo({ VisibilityTimeout: '1' });
      await world.sendTo(url, 'a', 'a1');
      await world.receive(url);
      const [received, tookMs] = await pollWhile(world, url, 0, async () => {});
      expect(received).toEqual(['a1']);
      expect(tookMs).toBeLessThan(15_000);
    },
  },
  {
    name: 'a long poll that finds nothing ends after its time',
    run: async ({ standard, bodies }) => {
      const url = await standard();
      const start = Date.now();
      expect(await bodies(url, { WaitTimeSeconds: 1 })).toEqual([]);
      expect(Date.now() - start).toBeGreaterThan(900);
    },
  },
];
