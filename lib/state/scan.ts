/** All of the table, for its operator alone (`kpackless`): no function reads it so. */
import type { Item } from './table.ts';

/** The whole table, page by page, each item once and as of when its page was read. @throws StateError */
export interface Scan {
  pages(): AsyncIterable<readonly Item[]>;
}
