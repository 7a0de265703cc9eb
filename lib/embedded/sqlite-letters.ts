/** Dead letters and depths in the file of standalone mode. Only a file that no process works with can be written. */
import type { DatabaseSync } from 'node:sqlite';
import type { Depth, Letter, Letters } from '../queue/letters.ts';
import { deadLettersOf, Messages } from './messages.ts';

/** All that a file of one machine holds. */
const mostAtOnce = 1_000_000;

/** Letters and depths of `database`. */
export const sqliteLetters = (
  database: DatabaseSync,
  clock: () => Date,
): Letters & { depth(queue: string): Promise<Depth> } => {
  const messages = new Messages(database);
  return {
    list: async (queue, most) =>
      database
        .prepare('SELECT seq, body, sent_at FROM message WHERE queue = ? ORDER BY seq LIMIT ?')
        .all(deadLettersOf(queue), most)
        .map(
          ({ seq, body, sent_at: sentAt }): Letter => ({
            id: String(seq),
            queue,
            body: String(body),
            sentAt: Number(sentAt),
          }),
        ),
    drop: async (queue, id) =>
      database.prepare('DELETE FROM message WHERE queue = ? AND seq = ?').run(deadLettersOf(queue), Number(id))
        .changes === 1,
    dropAll: async (queue) => {
      database.prepare('DELETE FROM message WHERE queue = ?').run(deadLettersOf(queue));
    },
    redriveAll: async (queue) => void messages.unbury(queue, mostAtOnce),
    depth: async (queue) => {
      const row = database
        .prepare(
          'SELECT count(*) AS count, sum(in_hand) AS in_hand, min(sent_at) AS oldest FROM message WHERE queue = ?',
        )
        .get(queue);
      const [count, inHand] = [Number(row?.['count'] ?? 0), Number(row?.['in_hand'] ?? 0)];
      const oldest = row?.['oldest'];
      return {
        waiting: count - inHand,
        inHand,
        deadLetters: messages.count(deadLettersOf(queue)),
        oldestSeconds:
          typeof oldest === 'number' ? Math.max(0, Math.round((clock().getTime() - oldest) / 1000)) : undefined,
      };
    },
  };
};
