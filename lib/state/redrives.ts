/** When the dead letters of a queue were last brought back, and how often in a row. */
import { number } from './attributes.ts';
import { redriveKey, redriveSortKey } from './keys.ts';
import type { Table } from './table.ts';

/** The last of several redrives of one queue. */
export interface Redriven {
  /** Unix seconds. */
  readonly at: number;
  /** How many there were in a row, this one included. */
  readonly times: number;
}

/** Redrives of all queues. */
export class Redrives {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async last(queue: string): Promise<Redriven | undefined> {
    const item = await this.#table.get(redriveKey(queue), redriveSortKey);
    const at = item === undefined ? undefined : number(item, 'redrivenAt');
    return item === undefined || at === undefined ? undefined : { at, times: number(item, 'times') ?? 1 };
  }

  /** Notes one that is about to start. False when somebody else has noted one since `before` was read. */
  begin(queue: string, next: Redriven, before: Redriven | undefined): Promise<boolean> {
    return this.#table.update(redriveKey(queue), redriveSortKey, {
      set: { redrivenAt: next.at, times: next.times },
      expect: { redrivenAt: before?.at },
    });
  }
}
