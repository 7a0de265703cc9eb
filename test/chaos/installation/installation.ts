/** An installation as a run sees it, whatever it is made of. */
import type { DatabaseSync } from 'node:sqlite';
import type { Life } from '../virtual-time.ts';

/** A way to run kpackless. */
export interface Installation {
  /** Its records, in a database of its own, whatever adapter writes them. */
  readonly database: DatabaseSync;
  /** Processes that live, the same for the same run. */
  lives(): readonly Life[];
  /** A second relay runs beside the first for so long. */
  secondRelay(seconds: number): void;
  /** Messages in all queues; those in hand are among them. */
  waiting(): number;
  /** Names of queues with dead letters. */
  deadLetters(): readonly string[];
}

/** How it is set up: `sqlite` is standalone mode, `aws` functions and queues apart. */
export const adapters = ['sqlite', 'aws'] as const;
export type Adapter = (typeof adapters)[number];
