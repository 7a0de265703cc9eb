/** What we use of dynalite 4, which brings no types. */
declare module 'dynalite' {
  import type { Server } from 'node:http';

  interface DynaliteOptions {
    /** Folder of its LevelDB; in memory when absent. */
    readonly path?: string;
    /** How long tables stay in each state, in milliseconds. */
    readonly createTableMs?: number;
    readonly deleteTableMs?: number;
    readonly updateTableMs?: number;
  }

  /** An HTTP server that does not listen yet. Closing it closes its database, but only after it has listened. */
  function dynalite(options?: DynaliteOptions): Server;
  export = dynalite;
}
