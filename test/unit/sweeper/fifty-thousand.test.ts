/**
 * 50,000 due at once, with the sweeper's code and the sender's in virtual time: calls take as long as on AWS, and what a processor takes for each
 * (`npm run bench -- --only sweep`) is multiplied by the share of one that the deployed memory buys.
 */
import { readFileSync } from 'node:fs';
import type { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { sqsSender } from '../../../lib/queue/sqs-sender.ts';
import { CallsAtOnce } from '../../../lib/state/calls-at-once.ts';
import { dueShardOf, dueShards, recordKey } from '../../../lib/state/keys.ts';
import type { Due, Records } from '../../../lib/state/records.ts';
import { sweep } from '../../../lib/sweeper/sweep.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

const many = 50_000;
/** Of a whole processor, in milliseconds: measured on two cores, a half more for TLS and a slower machine. */
const perCall = { table: 0.75, queue: 1.5 };
/** What the services take. */
const answer = { table: 8, queue: 20 };
const megabytesPerProcessor = 1769;

const memory = (
  parse(readFileSync(new URL('../../../serverless.yml', import.meta.url), 'utf8'), { logLevel: 'silent' }) as {
    readonly functions: readonly [{ readonly sweeper: { readonly memorySize: number; readonly timeout: number } }];
  }
).functions[0].sweeper;

it('50,000 due at once are sent within three minutes at the deployed memory, the oldest first, and each once', async () => {
  const time = new VirtualTime(0);
  let busyUntil = 0;
  /** One processor, of which the memory buys a share. */
  const compute = (milliseconds: number): Promise<void> => {
    busyUntil = Math.max(busyUntil, time.now) + (milliseconds * megabytesPerProcessor) / memory.memorySize;
    return time.sleep(busyUntil - time.now);
  };
  const shards: Due[][] = Array.from({ length: dueShards }, () => []);
  for (let at = 0; at < many; at += 1) {
    const target = { cluster: `prod-${at % 20}`, kind: 'Image', namespace: 'team', name: `app-${at}` };
    shards[dueShardOf(recordKey(target))]?.push({ target, dueAt: at });
  }
  const table = new CallsAtOnce(40);
  const call = async <T>(give: () => T): Promise<T> =>
    table.run(async () => {
      await compute(perCall.table);
      await time.sleep(answer.table);
      return give();
    });
  const moved = new Set<number>();
  const records: Pick<Records, 'due' | 'parkDue' | 'postpone'> = {
    due: (shard, _now, limit, after) =>
      call(() => {
        const left = shards[shard]?.filter(({ dueAt }) => !moved.has(dueAt) && dueAt > (after?.dueAt ?? -1)) ?? [];
        return left.slice(0, limit);
      }),
    parkDue: () => Promise.reject(new Error('no cluster is down')),
    postpone: ({ dueAt }) => call(() => moved.size < moved.add(dueAt).size),
  };
  const sent: number[] = [];
  const client = {
    send: async ({ input: { Entries = [] } }: SendMessageBatchCommand) => {
      await compute(perCall.queue);
      await time.sleep(answer.queue);
      for (const { MessageBody = '' } of Entries) sent.push(Number(/app-(\d+)/.exec(MessageBody)?.[1]));
      return {};
    },
  } as unknown as SQSClient;
  const sender = sqsSender(
    client,
    (queue) => queue,
    (milliseconds) => time.sleep(milliseconds),
    () => time.now,
  );

  let runs = 0;
  const startAt = (at: number): void =>
    time.at(at, () => {
      runs += 1;
      void sweep(
        { records, circuits: { isDown: async () => false }, sender },
        1_000_000,
        () => time.now - at < (memory.timeout - 5) * 1000,
      );
      startAt(at + 60_000);
    });
  startAt(0);
  expect(await time.pass(180, () => moved.size === many)).toBe(true);
  expect(runs).toBeGreaterThan(1);
  expect([sent.length, new Set(sent).size]).toStrictEqual([many, many]);
  // Batches that are under way at once may overtake each other, by no more than what is sent before it is moved.
  let oldest = 0;
  for (const [at, age] of sent.entries()) {
    expect(Math.abs(age - at)).toBeLessThan(400);
    oldest = Math.max(oldest, age);
  }
  expect(oldest).toBe(many - 1);
}, 120_000);
