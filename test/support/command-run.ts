/** `kpackless` without a process: over a store in memory, with what it said kept. */
import type { DatabaseSync } from 'node:sqlite';
import type { CommandPorts } from '../../infra/command/context.ts';
import type { Installation, LoggedPass } from '../../infra/command/installation.ts';
import { runCommand } from '../../infra/command/program.ts';
import { openDatabase } from '../../lib/embedded/database.ts';
import { Messages } from '../../lib/embedded/messages.ts';
import { sqliteLetters } from '../../lib/embedded/sqlite-letters.ts';
import { sqliteScan } from '../../lib/embedded/sqlite-scan.ts';
import { sqliteTable } from '../../lib/embedded/sqlite-table.ts';
import { ExpectedError } from '../../lib/errors/expected.ts';
import type { Table } from '../../lib/state/table.ts';

/** What a call came to. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** The answer, when it was asked for as JSON. */
  readonly json: unknown;
}

/** A world in which commands run. Dispose of it. */
export interface CommandWorld extends Disposable {
  readonly database: DatabaseSync;
  readonly table: Table;
  readonly messages: Messages;
  /** What the log tells of every object. */
  readonly passes: LoggedPass[];
  /** The time, which only tests move. */
  now: Date;
  run(...args: readonly string[]): Promise<Ran>;
}

/** An installation that holds nothing. `more` replaces ports. */
export const commandWorld = (more: Partial<CommandPorts> = {}): CommandWorld => {
  const database = openDatabase();
  const passes: LoggedPass[] = [];
  const world: CommandWorld = {
    database,
    table: sqliteTable(database),
    messages: new Messages(database),
    passes,
    now: new Date('2026-01-01T10:00:00Z'),
    run: async (...args) => {
      let [out, err] = ['', ''];
      const letters = sqliteLetters(database, () => world.now);
      const installation: Installation = {
        shown: 'a store in memory',
        isFile: true,
        table: world.table,
        scan: sqliteScan(database),
        depths: letters,
        letters,
        passes: async () => passes,
        [Symbol.asyncDispose]: async () => undefined,
      };
      const code = await runCommand(args, {
        streams: {
          out: (text) => {
            out += text;
          },
          err: (text) => {
            err += text;
          },
          isTerminal: false,
        },
        clock: () => world.now,
        open: async () => installation,
        aws: () => {
          throw new Error('AWS is not asked in this test');
        },
        sleep: async () => undefined,
        probe: async () => 200,
        serverDate: async () => world.now,
        reach: async () => {
          throw new ExpectedError('no cluster can be reached in this test');
        },
        ...more,
      });
      const isJson = args.includes('json') && out !== '';
      return { code, out, err, json: isJson ? (JSON.parse(out) as unknown) : undefined };
    },
    [Symbol.dispose]: () => database.close(),
  };
  return world;
};
