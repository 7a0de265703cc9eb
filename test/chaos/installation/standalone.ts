/** Standalone mode: one process with relay, embedded queues and table, functions and sweeper, started again when it dies. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../../../lib/embedded/database.ts';
import { Messages } from '../../../lib/embedded/messages.ts';
import { EmbeddedQueues } from '../../../lib/embedded/queues.ts';
import { dropEnded, sqliteTable } from '../../../lib/embedded/sqlite-table.ts';
import { QueueError, type Sender } from '../../../lib/queue/send.ts';
import { queueRows } from '../../../lib/reconcile/kind-table.ts';
import { Received } from '../../../lib/reconcile/received.ts';
import type { Calls } from '../calls.ts';
import type { Life } from '../virtual-time.ts';
import type { World } from '../world.ts';
import { functionsOf } from './functions.ts';
import type { Installation } from './installation.ts';
import { registerIn } from './registered.ts';
import { beginRelay, type RelayParts } from './relay.ts';
import { sweeperOf } from './sweeper.ts';
import { spoiltTable } from './table.ts';

const concurrency = 20;
const sweepMilliseconds = 1000;
const dropMilliseconds = 3_600_000;

/** Messages whose process may die, or whose disk may fail, at each call. */
const spoiltMessages = (calls: Calls, messages: Messages): Messages => {
  const failing = (): Error => new Error('database or disk is full');
  const writes = new Set(['add', 'receive', 'delete', 'hide', 'bury', 'requeue', 'unbury', 'release']);
  return new Proxy(messages, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...given: readonly unknown[]): unknown =>
        calls.makeNow({
          port: 'queue',
          name: `${String(name)} ${typeof given[0] === 'string' ? given[0] : ''}`,
          isWrite: writes.has(String(name)),
          carryOut: () => Reflect.apply(member, target, given) as unknown,
          failing,
        });
    },
  });
};

export const standaloneInstallation = (world: World): Installation => {
  const { time, calls } = world;
  const database = openDatabase();
  const plain = new Messages(database);
  registerIn(database);
  let current: { readonly life: Life; readonly parts: Omit<RelayParts, 'world'> | undefined } | undefined;

  const start = (): void => {
    const life = world.newLife('standalone');
    current = { life, parts: undefined };
    time.as(life, () => {
      const log = world.logOf(life);
      try {
        const queues = new EmbeddedQueues({
          messages: spoiltMessages(calls, plain),
          rows: queueRows,
          concurrency,
          clock: () => new Date(),
          warn: (what, why) => log('warn', what, { why: String(why) }),
        });
        const sender: Sender = {
          send: (queue, messages) =>
            calls.make({
              port: 'queue',
              name: `send ${queue} ${messages
                .map(({ target, reason }) => `${reason} ${target.namespace}/${target.name}`)
                .join(', ')
                .slice(0, 80)}`,
              isWrite: true,
              isSend: true,
              isInside: true,
              carryOut: () => queues.send(queue, messages),
              failing: () => new QueueError('the queue does not take messages'),
            }),
        };
        const table = spoiltTable(sqliteTable(database), calls);
        const received = new Received(() => new Date());
        const { functionOf, connections } = functionsOf({
          world,
          table,
          sender,
          receipts: () => queues.receipts(),
          own: 'any',
          log,
          received,
        });
        for (const { name } of queueRows) queues.start(name, functionOf(name));
        const parts = { table, sender, log, received, connections };
        current = { life, parts };
        beginRelay({ world, ...parts }, new AbortController().signal);
        const sweeper = sweeperOf({ world, database, table, sender, deadLetters: queues, log });
        setInterval(() => void dropEnded(database, Math.floor(Date.now() / 1000)), dropMilliseconds);
        void (async () => {
          for (;;) {
            await sleep(sweepMilliseconds);
            await sweeper();
          }
        })();
      } catch (error) {
        // It died at its start; or its disk failed, which ends it as well.
        if (life.isAlive) world.kill(life);
        void error;
      }
    });
  };

  world.died = (life) => {
    if (current?.life !== life) return;
    const milliseconds = world.dice.between(`start again ${time.now}`, 300, 5000);
    time.in(milliseconds, start, undefined);
  };
  start();
  return {
    database,
    lives: () => (current === undefined ? [] : [current.life]),
    secondRelay: (seconds) => {
      const first = current;
      if (first?.parts === undefined || !first.life.isAlive) return;
      const { parts } = first;
      time.as(first.life, () => {
        const second = new AbortController();
        beginRelay({ world, ...parts }, second.signal);
        time.in(seconds * 1000, () => second.abort(), first.life);
      });
    },
    waiting: () =>
      [...plain.counts()].filter(([queue]) => !queue.endsWith('-dlq')).reduce((sum, [, count]) => sum + count, 0),
    deadLetters: () =>
      [...plain.counts()].filter(([queue, count]) => queue.endsWith('-dlq') && count > 0).map(([queue]) => queue),
  };
};
