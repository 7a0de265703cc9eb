/**
 * A story: events with versions, deaths after any write, and what is left in the end. Embedded SQS and DynamoDB with an index that
 * lags, a fake API, and the real sender, handlers' batch code, runner, dependents and sweeper on top. Only time is made by the test.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import { dependentsRunner } from '../../lib/dependents/tell-dependents.ts';
import { ExpectedError } from '../../lib/errors/expected.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import type { KubeObject } from '../../lib/kube/object.ts';
import { type BatchPorts, runBatch } from '../../lib/queue/batch.ts';
import { wordFor } from '../../lib/queue/comes-again.ts';
import { handOn } from '../../lib/queue/hand-on.ts';
import type { Message } from '../../lib/queue/message.ts';
import { sqsReceipts } from '../../lib/queue/sqs-receipts.ts';
import { sqsSender, sqsStraightSender } from '../../lib/queue/sqs-sender.ts';
import { bulkRow } from '../../lib/reconcile/kind-table.ts';
import type { Reconcilable, Reconciler } from '../../lib/reconcile/reconciler.ts';
import { passRunner } from '../../lib/reconcile/run.ts';
import { pointersFor, watchedKinds } from '../../lib/relay/pointers.ts';
import { Circuits } from '../../lib/state/circuits.ts';
import { DynamoDbTable } from '../../lib/state/dynamodb-table.ts';
import type { TargetKey } from '../../lib/state/keys.ts';
import { readsTogether } from '../../lib/state/reads-together.ts';
import { Records } from '../../lib/state/records.ts';
import { sweep } from '../../lib/sweeper/sweep.ts';
import { startDynamoDb } from '../emulators/dynamodb.ts';
import { recordOf, succeeded } from '../emulators/event-source-mapping.ts';
import { ensureQueues } from '../emulators/queues.ts';
import { manualClock } from '../emulators/sqs/clock.ts';
import { embedSqs } from '../emulators/sqs/embedded.ts';
import { ensureTable } from '../emulators/table.ts';
import { Death } from './death.ts';
import { FakeKube } from './fake-kube.ts';

/** How a story begins. */
export interface StoryOptions<T extends Reconcilable> {
  readonly reconciler: Reconciler<T>;
  /** The queue that wakes it. */
  readonly queue: string;
  /** How far the index lags behind the table, in real milliseconds. */
  readonly lagMilliseconds?: number;
}

const cluster = 'one';
const prefix = 'kpackless-';

/** The fake API through a process that may be dead. */
const mortal = (kube: FakeKube, death: Death): KubeClient => {
  const read = <A extends readonly unknown[], R>(call: (...given: A) => Promise<R>) => {
    return (...given: A): Promise<R> => death.through(undefined, () => call(...given));
  };
  const client: KubeClient = {
    get: <T extends KubeObject>(key: Parameters<KubeClient['get']>[0]) =>
      death.through(undefined, () => kube.get<T>(key)),
    getForeign: read(() => kube.getForeign()),
    list: <T extends KubeObject>(...given: Parameters<KubeClient['list']>) =>
      death.through(undefined, () => kube.list<T>(...given)),
    create: (object) => death.through(`create ${object.kind}`, () => kube.create(object)),
    replace: (object) => death.through(`replace ${object.kind}`, () => kube.replace(object)),
    replaceStatus: (object) => death.through(`status ${object.kind}`, () => kube.replaceStatus(object)),
    patch: (key, patch) => death.through(`patch ${key.kind}`, () => kube.patch(key, patch)),
    apply: () => kube.apply(),
    delete: (object) => death.through(`delete ${object.kind}`, () => kube.delete(object)),
    token: () => kube.token(),
    logTail: read(() => kube.logTail()),
    logEnd: read(() => kube.logEnd()),
  };
  return client;
};

/** Begins a story with an empty cluster, table and queues. Dispose of it. */
export const story = async <T extends Reconcilable>({
  reconciler,
  queue: ownQueue,
  lagMilliseconds,
}: StoryOptions<T>) => {
  const clock = manualClock(Date.UTC(2026, 10, 21, 9));
  const death = new Death();
  const kube = new FakeKube();
  const logged: { readonly what: string; readonly fields: Readonly<Record<string, unknown>> }[] = [];
  const log: BatchPorts['log'] = (_level, what, fields = {}) => void logged.push({ what, fields });
  const sqs = embedSqs({ clock });
  const database = await startDynamoDb(lagMilliseconds === undefined ? {} : { staleReadsMs: lagMilliseconds });
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const queues = new SQSClient({
    region: 'local',
    endpoint: sqs.endpoint,
    credentials,
    requestHandler: sqs.requestHandler,
  });
  const dynamodb = new DynamoDBClient({ ...database.client, requestHandler: database.requestHandler, maxAttempts: 1 });
  const mortalQueues = new SQSClient({
    region: 'local',
    endpoint: sqs.endpoint,
    credentials,
    requestHandler: sqs.requestHandler,
    maxAttempts: 1,
  });
  await ensureTable(dynamodb, 'records');
  await ensureQueues(queues, prefix);
  let tableIsAway = false;
  dynamodb.middlewareStack.add(
    (next) => (given) => (tableIsAway ? Promise.reject(new Error('the request rate is too high')) : next(given)),
    { step: 'initialize' },
  );
  const storeReads = ['GetItemCommand', 'BatchGetItemCommand', 'QueryCommand'];
  dynamodb.middlewareStack.add(
    (next, { commandName = '' }) =>
      (given) =>
        death.through(storeReads.includes(commandName) ? undefined : commandName, () => next(given)),
    { step: 'initialize' },
  );
  mortalQueues.middlewareStack.add(
    (next, { commandName = '' }) =>
      (given) =>
        death.through(commandName, () => next(given)),
    { step: 'initialize' },
  );

  const queueUrl = (queue: string): string => sqs.queueUrl(`${prefix}${queue}.fifo`);
  const table = readsTogether(new DynamoDbTable(dynamodb, 'records'));
  const records = new Records(table);
  const sender = sqsSender(mortalQueues, queueUrl, () => Promise.resolve());
  const now = (): Date => new Date(clock.now());
  const common = {
    records,
    sender,
    kube: () => Promise.resolve(mortal(kube, death)),
    clock: now,
    random: () => 0,
    log,
    pause: () => Promise.resolve(),
  };
  /** The sweeper is a process of its own. */
  const sweeperCircuits = new Circuits(table);
  let handlers = make();
  function make() {
    const circuits = new Circuits(table);
    return {
      circuits,
      own: passRunner(reconciler, { ...common, circuits }),
      dependents: dependentsRunner({ ...common, circuits }),
    };
  }

  const recordsIn = async (queue: string, max: number): Promise<readonly SQSRecord[]> => {
    const { Messages = [] } = await queues.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl(queue),
        MaxNumberOfMessages: max,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
    );
    return Messages.map((message) => recordOf(message, `arn:aws:sqs:local:0:${queue}`));
  };

  const finish = async (queue: string, records: readonly SQSRecord[]): Promise<void> => {
    for (const { receiptHandle } of records)
      await queues.send(new DeleteMessageCommand({ QueueUrl: queueUrl(queue), ReceiptHandle: receiptHandle }));
  };

  /** What came in bulk goes on at once: who waits for whom is no part of a story. Its function does not die. */
  const handOnAll = async (): Promise<void> => {
    for (;;) {
      const batch = await recordsIn(bulkRow.name, 10);
      if (batch.length === 0) return;
      const answer = await handOn({ Records: [...batch] }, () => 60, {
        straight: sqsStraightSender(queues, queueUrl),
        backlog: () => Promise.resolve(0),
        receipts: sqsReceipts(queues, { queueUrl: queueUrl(bulkRow.name), own: 'any', log }),
        mayWake: () => Promise.resolve(true),
        log,
        pause: () => Promise.resolve(),
      });
      await finish(bulkRow.name, succeeded(batch, answer));
    }
  };

  const receive = async (queue: string, max: number): Promise<readonly SQSRecord[]> => {
    await handOnAll();
    return recordsIn(queue, max);
  };

  /** One batch of a queue, as the event-source mapping hands it over. Gives each key's result, in order of the batch's end. */
  const deliver = async (queue: string = ownQueue, max = 10): Promise<readonly string[]> => {
    const batch = await receive(queue, max);
    if (batch.length === 0) return [];
    const results: string[] = [];
    const runPass: BatchPorts['runPass'] = async (...given) => {
      const result = await (queue === 'dependents' ? handlers.dependents : handlers.own)(...given);
      results.push(wordFor(result));
      return result;
    };
    const receipts = sqsReceipts(mortalQueues, { queueUrl: queueUrl(queue), own: 'any', log });
    const mayWake = () => Promise.resolve(true);
    const answer = await runBatch({ Records: [...batch] }, () => 60, { runPass, receipts, mayWake, log }).catch(
      (error: unknown) => {
        // A failure of the whole function: nothing is deleted.
        if (!(error instanceof ExpectedError)) throw error;
        return undefined;
      },
    );
    // A dead function answers nothing: its messages come back when their visibility time-out has passed.
    if (death.isDead) return ['died'];
    if (answer === undefined) return ['away'];
    await finish(queue, succeeded(batch, answer));
    return results;
  };

  const later = (seconds: number): void => {
    clock.advance(seconds * 1000);
    kube.now = now();
  };
  later(0);

  /** @throws what a part of the sweep failed by, as the function does */
  const sweepAll = async (): Promise<number> => {
    const { sent, failures } = await sweep(
      { records, circuits: sweeperCircuits, sender },
      Math.floor(clock.now() / 1000),
      () => true,
    );
    if (failures.length > 0) throw failures[0];
    return sent;
  };

  return {
    cluster,
    kube,
    death,
    records,
    table,
    sender,
    logged,
    now,
    later,
    queues,
    /** The other client, of processes that may die. */
    mortalQueues,
    queueUrl,
    receive,
    deliver,
    /** While it is away, every call to the table fails as throttling does. */
    setTableAway: (isAway: boolean): void => {
      tableIsAway = isAway;
    },
    get circuits(): Circuits {
      return handlers.circuits;
    },
    target: (name: string, namespace = 'team'): TargetKey => ({ cluster, kind: reconciler.kind, namespace, name }),
    /** What the relay sends about an object as it now is. */
    tell: async (
      object: KubeObject,
      { epoch = 'e.0', list }: { readonly epoch?: string; readonly list?: string } = {},
    ) => {
      const watched = watchedKinds.find(({ kind }) => kind === object.kind);
      if (watched === undefined) throw new Error(`${object.kind} is not watched`);
      for (const { queue, message } of pointersFor(watched, object.metadata ?? {}, { cluster, epoch }, list))
        await sqsSender(queues, queueUrl).send(queue, [message]);
    },
    send: (queue: string, ...messages: readonly Message[]) => sqsSender(queues, queueUrl).send(queue, messages),
    sweep: sweepAll,
    /** A new process after a death; its caches are empty. */
    startAgain: (): void => {
      death.startAgain();
      handlers = make();
    },
    /** Goes on until nothing is to be done at once: queues are empty and nothing is due. */
    untilQuiet: async (): Promise<void> => {
      for (let round = 0; round < 50; round += 1) {
        const results = [...(await deliver('dependents')), ...(await deliver())];
        if (results.length === 0 && (await sweepAll()) === 0) return;
      }
      throw new Error('it does not become quiet');
    },
    /** How many messages a queue holds, visible or not. */
    held: (queue: string): number =>
      sqs
        .snapshot()
        .filter(({ name }) => name === `${prefix}${queue}.fifo`)
        .reduce((sum, { ready, inFlight, delayed }) => sum + ready + inFlight + delayed, 0),
    /** Makes a received message visible now. */
    release: async ({ receiptHandle }: SQSRecord, queue: string = ownQueue): Promise<void> => {
      await queues.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: queueUrl(queue),
          ReceiptHandle: receiptHandle,
          VisibilityTimeout: 0,
        }),
      );
    },
    [Symbol.asyncDispose]: async (): Promise<void> => {
      queues.destroy();
      mortalQueues.destroy();
      dynamodb.destroy();
      await sqs.close();
      await database.close();
    },
  };
};

export type Story = Awaited<ReturnType<typeof story>>;
