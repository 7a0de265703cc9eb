/**
 * As on AWS: a relay, a sweeper each minute, and a function a queue behind an event-source mapping, in as many processes as work at once. Sender,
 * receipts and dead letters are the product's for SQS, over the emulator; the table is SQLite behind the product's joining of reads, with an
 * index that lags, as no emulator of DynamoDB runs in the time of a run.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Message as SqsMessage } from '@aws-sdk/client-sqs';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { openDatabase } from '../../../lib/embedded/database.ts';
import type { Invoke } from '../../../lib/embedded/queue.ts';
import { sqliteTable } from '../../../lib/embedded/sqlite-table.ts';
import { handOn } from '../../../lib/queue/hand-on.ts';
import { sqsBacklog } from '../../../lib/queue/sqs-backlog.ts';
import { sqsDeadLetters } from '../../../lib/queue/sqs-dead-letters.ts';
import { sqsReceipts } from '../../../lib/queue/sqs-receipts.ts';
import { sqsSender, sqsStraightSender } from '../../../lib/queue/sqs-sender.ts';
import {
  bulkRow,
  type KindRow,
  maxReceiveCountOf,
  sqsRows,
  visibilitySeconds,
} from '../../../lib/reconcile/kind-table.ts';
import type { Log } from '../../../lib/reconcile/log.ts';
import { readsTogether } from '../../../lib/state/reads-together.ts';
import { recordOf, succeeded } from '../../emulators/event-source-mapping.ts';
import { queueAttributes } from '../../emulators/queues.ts';
import { embedSqs } from '../../emulators/sqs/embedded.ts';
import type { Life } from '../virtual-time.ts';
import type { World } from '../world.ts';
import { functionsOf } from './functions.ts';
import type { Installation } from './installation.ts';
import { laggingIndex } from './lagging-index.ts';
import { registerIn, relayRole } from './registered.ts';
import { beginRelay } from './relay.ts';
import { askSqs, sqsClient } from './sqs.ts';
import { sweeperOf } from './sweeper.ts';
import { spoiltDynamoDb } from './table.ts';

const functionsRole = 'FUNCTIONS';
/** Batches of one queue that are worked on at once. */
const pollers = 3;
const sweepMilliseconds = 60_000;

/** A process of a function. */
interface Instance {
  readonly life: Life;
  readonly invoke: Invoke;
}

export const installationOnAws = async (world: World): Promise<Installation> => {
  const { time, calls, dice } = world;
  const database = openDatabase();
  registerIn(database);
  const table = laggingIndex(sqliteTable(database), time, dice);
  const sqs = embedSqs({
    clock: { now: () => time.now, at: (instant, ring) => time.in(instant - time.now, ring, undefined) },
  });
  const url = (queue: string): string => sqs.queueUrl(`${queue}.fifo`);
  const ask = <T>(action: string, input: object): Promise<T> => askSqs(sqs, action, input, 'LAMBDA') as Promise<T>;
  const create = async (name: string, attributes: object): Promise<string> => {
    await ask('CreateQueue', { QueueName: `${name}.fifo`, Attributes: { ...queueAttributes, ...attributes } });
    const found: { Attributes: { QueueArn: string } } = await ask('GetQueueAttributes', {
      QueueUrl: url(name),
      AttributeNames: ['QueueArn'],
    });
    return found.Attributes.QueueArn;
  };
  const arns = new Map<string, string>();
  for (const row of sqsRows) {
    const deadLetterTargetArn = await create(`${row.name}-dlq`, {});
    const arn = await create(row.name, {
      VisibilityTimeout: String(visibilitySeconds(row)),
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: maxReceiveCountOf(row) }),
    });
    arns.set(row.name, arn);
  }

  const alive = new Set<Life>();
  const begin = (role: string): Life => {
    const life = world.newLife(role);
    alive.add(life);
    return life;
  };
  const adaptersOf = (role: string, log: Log) => {
    const client = sqsClient(sqs, calls, role);
    return {
      client,
      table: readsTogether(spoiltDynamoDb(table, calls, dice)),
      sender: sqsSender(client, url),
      deadLetters: sqsDeadLetters(client, url),
      receipts: (queue: string) => sqsReceipts(client, { queueUrl: url(queue), own: [functionsRole], log }),
    };
  };

  const free = new Map<string, Instance[]>();
  const instanceOf = (queue: string): Instance => {
    const idle = free.get(queue) ?? [];
    free.set(queue, idle);
    for (let instance = idle.pop(); instance !== undefined; instance = idle.pop())
      if (instance.life.isAlive) return instance;
    const life = begin(queue);
    return time.as(life, () => {
      const log = world.logOf(life);
      const adapters = adaptersOf(functionsRole, log);
      const { functionOf, mayWake } = functionsOf({ world, ...adapters, own: [functionsRole], log });
      if (queue !== bulkRow.name) return { life, invoke: functionOf(queue) };
      const ports = {
        straight: sqsStraightSender(adapters.client, url),
        backlog: sqsBacklog(adapters.client, url),
        receipts: adapters.receipts(queue),
        mayWake,
        log,
        pause: sleep,
      };
      const invoke: Invoke = (event, context) => {
        world.expectWorking(queue);
        return handOn(event, () => context.getRemainingTimeInMillis() / 1000, ports);
      };
      return { life, invoke };
    });
  };

  /** What Lambda does with one invocation: it ends when the process does, or its time is over, which ends the process. */
  const invoke = (row: KindRow, event: SQSEvent): Promise<SQSBatchResponse | undefined> => {
    const instance = instanceOf(row.name);
    const { life } = instance;
    const endsAt = time.now + row.timeoutSeconds * 1000;
    return new Promise((resolve, reject) => {
      const stop = time.in(
        row.timeoutSeconds * 1000,
        () => {
          if (life.isAlive) world.kill(life);
        },
        undefined,
      );
      const watch = world.whenDead(life, () => reject(new Error('the process of the function died')));
      const over = (): void => {
        stop();
        watch();
      };
      time.as(life, () => {
        const end = async (): Promise<void> => {
          try {
            const answer = await instance.invoke(event, {
              getRemainingTimeInMillis: () => Math.max(0, endsAt - time.now),
            });
            resolve(answer);
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          } finally {
            over();
            free.get(row.name)?.push(instance);
          }
        };
        void end();
      });
    });
  };

  const map = async (row: KindRow): Promise<void> => {
    const QueueUrl = url(row.name);
    const arn = arns.get(row.name) ?? '';
    let failures = 0;
    const once = async (): Promise<void> => {
      const { Messages = [] }: { Messages?: SqsMessage[] } = await ask('ReceiveMessage', {
        QueueUrl,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 20,
        MessageSystemAttributeNames: ['All'],
      });
      if (Messages.length === 0) return;
      await sleep(dice.between(`deliver ${row.name} ${time.now}`, 1, 20));
      const records: readonly SQSRecord[] = Messages.map((message) => recordOf(message, arn));
      const done = succeeded(records, await invoke(row, { Records: [...records] }));
      if (done.length === 0) return;
      const Entries = done.map(({ receiptHandle }, index) => ({ Id: String(index), ReceiptHandle: receiptHandle }));
      await calls.make({
        port: 'queue',
        name: `acknowledge ${row.name}`,
        isWrite: true,
        carryOut: () => ask('DeleteMessageBatch', { QueueUrl, Entries }),
        failing: () => new Error('the acknowledgement was lost'),
      });
    };
    for (;;)
      try {
        await once();
        failures = 0;
      } catch {
        failures += 1;
        await sleep(Math.min(30_000, 500 * 2 ** failures));
      }
  };

  const relayRuns = (): Life => {
    const life = begin('relay');
    time.as(life, () => {
      const log = world.logOf(life);
      beginRelay({ world, ...adaptersOf(relayRole, log), log }, new AbortController().signal);
    });
    return life;
  };

  const sweeps = async (): Promise<void> => {
    let life: Life | undefined;
    let sweep: () => Promise<void> = () => Promise.resolve();
    for (;;) {
      await sleep(sweepMilliseconds);
      if (life?.isAlive !== true) {
        life = begin('sweeper');
        const log = world.logOf(life);
        sweep = time.as(life, () => sweeperOf({ world, database, ...adaptersOf(functionsRole, log), log }));
      }
      const current = sweep;
      time.as(life, () => void current());
    }
  };

  time.as(undefined, () => {
    for (const row of sqsRows) for (let poller = 0; poller < pollers; poller += 1) void map(row);
    void sweeps();
  });
  let first: Life | undefined;
  world.died = (life) => {
    alive.delete(life);
    if (life !== first) return;
    time.in(
      dice.between(`start again ${time.now}`, 1000, 15_000),
      () => {
        first = relayRuns();
      },
      undefined,
    );
  };
  first = relayRuns();
  const counts = () =>
    sqs.snapshot().map(({ name, ready, inFlight, delayed }) => ({ name, count: ready + inFlight + delayed }));
  return {
    database,
    lives: () => [...alive],
    secondRelay: (seconds) => {
      const second = time.as(undefined, relayRuns);
      time.in(
        seconds * 1000,
        () => {
          if (second.isAlive) world.kill(second);
        },
        undefined,
      );
    },
    waiting: () =>
      counts()
        .filter(({ name }) => !name.includes('-dlq'))
        .reduce((sum, { count }) => sum + count, 0),
    deadLetters: () =>
      counts()
        .filter(({ name, count }) => name.includes('-dlq') && count > 0)
        .map(({ name }) => name),
  };
};
