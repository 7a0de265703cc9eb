/** Messages of all queues in SQLite: in order per target, counted when they are received, so that what kills the process is found out. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { inTransaction } from './database.ts';
import type { Waiting } from './turns.ts';

/** A message that is to be stored. `id` is its deduplication id. */
export interface NewMessage extends Waiting {
  readonly id: string;
  readonly body: string;
}

/** A message as it is handed out. */
export interface StoredMessage {
  readonly seq: number;
  readonly body: string;
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
  /** Times it was handed out, this one included. */
  readonly received: number;
}

/** Those whose numbers are in a JSON list: one statement however many. */
const among = 'seq IN (SELECT value FROM json_each(?))';

/** The queue that takes what was handed out too often. */
export const deadLettersOf = (queue: string): string => `${queue}-dlq`;

/**
 * Every call is kept whole or not at all: it makes one writing statement, or a transaction. What is read before stays true meanwhile, as the file is
 * this process's alone and no call waits. Times are milliseconds since the epoch.
 */
export class Messages {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  #sql(text: string): StatementSync {
    const known = this.#statements.get(text) ?? this.#database.prepare(text);
    this.#statements.set(text, known);
    return known;
  }

  /** Stores messages, all or none. One whose id a waiting message of its target has is swallowed: it would say the same. */
  add(queue: string, messages: readonly NewMessage[], now: number): void {
    const twin = this.#sql('SELECT 1 FROM message WHERE queue = ? AND target = ? AND id = ? AND received = 0 LIMIT 1');
    const insert = this.#sql(
      'INSERT INTO message (queue, target, tenant, bulk, id, body, sent_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    const addAll = (): void => {
      for (const { target, tenant, bulk, id, body } of messages)
        if (twin.get(queue, target, id) === undefined) insert.run(queue, target, tenant, bulk ? 1 : 0, id, body, now);
    };
    if (messages.length === 1) addAll();
    else inTransaction(this.#database, addAll);
  }

  /** Hands out the first messages of a target, hidden until `hiddenUntil`. Nothing while one of them is hidden: order is kept. */
  receive(queue: string, target: string, limit: number, now: number, hiddenUntil: number): readonly StoredMessage[] {
    const rows = this.#sql(
      'SELECT seq, body, sent_at, received, hidden_until FROM message WHERE queue = ? AND target = ? ORDER BY seq LIMIT ?',
    ).all(queue, target, limit) as unknown as readonly {
      readonly seq: number;
      readonly body: string;
      readonly sent_at: number;
      readonly received: number;
      readonly hidden_until: number;
    }[];
    if (rows.some(({ hidden_until: until }) => until > now)) return [];
    const last = rows.at(-1);
    if (last === undefined) return [];
    this.#sql(
      'UPDATE message SET received = received + 1, hidden_until = ?, in_hand = 1 WHERE queue = ? AND target = ? AND seq <= ?',
    ).run(hiddenUntil, queue, target, last.seq);
    return rows.map(({ seq, body, sent_at: sentAt, received }) => ({ seq, body, sentAt, received: received + 1 }));
  }

  /** Deletes what is done with. */
  delete(seqs: readonly number[]): void {
    if (seqs.length > 0) this.#sql(`DELETE FROM message WHERE ${among}`).run(JSON.stringify(seqs));
  }

  /** Hides messages until `until`; 0 shows them at once. */
  hide(seqs: readonly number[], until: number): void {
    this.#sql(`UPDATE message SET hidden_until = ?, in_hand = 0 WHERE ${among}`).run(until, JSON.stringify(seqs));
  }

  /** Hides messages until `until`, as if they had never been handed out. */
  requeue(seqs: readonly number[], until: number): void {
    this.#sql(`UPDATE message SET received = 0, hidden_until = ?, in_hand = 0 WHERE ${among}`).run(
      until,
      JSON.stringify(seqs),
    );
  }

  /** Until when a target's messages are hidden; 0 when they are not. */
  hiddenUntil(queue: string, target: string): number {
    const row = this.#sql('SELECT max(hidden_until) AS hidden FROM message WHERE queue = ? AND target = ?').get(
      queue,
      target,
    );
    return Number(row?.['hidden'] ?? 0);
  }

  /** Moves what was handed out too often to the dead letters, with its receives. */
  bury(queue: string, seqs: readonly number[]): void {
    this.#sql(`UPDATE message SET queue = ?, hidden_until = 0, in_hand = 0 WHERE ${among}`).run(
      deadLettersOf(queue),
      JSON.stringify(seqs),
    );
  }

  /** Brings up to `limit` dead letters back, with all their receives before them again. Gives who waits now. */
  unbury(queue: string, limit: number): readonly Waiting[] {
    return inTransaction(this.#database, () => {
      const rows = this.#sql('SELECT seq, target, tenant FROM message WHERE queue = ? ORDER BY seq LIMIT ?').all(
        deadLettersOf(queue),
        limit,
      ) as unknown as readonly {
        readonly seq: number;
        readonly target: string;
        readonly tenant: string;
      }[];
      const statement = this.#sql('UPDATE message SET queue = ?, received = 0, hidden_until = 0 WHERE seq = ?');
      for (const { seq } of rows) statement.run(queue, seq);
      return rows.map(({ target, tenant }) => ({ target, tenant, bulk: true }));
    });
  }

  /** How many messages lie in a queue. */
  count(queue: string): number {
    const row = this.#sql('SELECT count(*) AS count FROM message WHERE queue = ?').get(queue);
    return Number(row?.['count'] ?? 0);
  }

  /** How many lie in each queue, dead letters included. */
  counts(): ReadonlyMap<string, number> {
    const rows = this.#sql('SELECT queue, count(*) AS count FROM message GROUP BY queue').all();
    return new Map(rows.map(({ queue, count }) => [String(queue), Number(count)]));
  }

  /** Shows what a process that died had in hand. Its receives stay counted: it may be what killed it. */
  release(): void {
    this.#sql('UPDATE message SET hidden_until = 0, in_hand = 0 WHERE in_hand = 1').run();
  }

  /** Everybody who waits, the oldest first, with the time until which they are hidden: what a start begins with. */
  waiting(queue: string): readonly (Waiting & { readonly hiddenUntil: number })[] {
    const rows = this.#sql(
      `SELECT target, tenant, min(bulk) AS bulk, max(hidden_until) AS hidden, min(seq) AS first FROM message
       WHERE queue = ? GROUP BY target ORDER BY first`,
    ).all(queue) as unknown as readonly {
      readonly target: string;
      readonly tenant: string;
      readonly bulk: number;
      readonly hidden: number;
    }[];
    return rows.map(({ target, tenant, bulk, hidden }) => ({ target, tenant, bulk: bulk === 1, hiddenUntil: hidden }));
  }
}
