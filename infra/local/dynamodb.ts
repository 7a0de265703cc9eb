/** The embedded DynamoDB of standalone mode (DESIGN §3.18): dynalite, over HTTP on loopback or through the SDK's request handler. */

import { type DynaliteStore, openDynalite } from './dynalite-store.ts';
import { ownFolder } from './folder-owner.ts';
import { InProcessRequestHandler } from './in-process.ts';
import { laggingReads } from './lagging-reads.ts';
import { type ListenOptions, listen } from './loopback.ts';

export interface StartDynamoDbOptions extends ListenOptions {
  /** Folder that keeps the tables over restarts; one process at a time. In memory when absent. */
  readonly path?: string | undefined;
  /** Serve reads without ConsistentRead a state this old, in milliseconds: for tests, in memory only. */
  readonly staleReadsMs?: number | undefined;
}

/** What an SDK client needs to talk to the embedded service over HTTP. */
interface LocalClientConfig {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface EmbeddedDynamoDb {
  readonly endpoint: string;
  /** `new DynamoDBClient(db.client)`. */
  readonly client: LocalClientConfig;
  /** `new DynamoDBClient({ ...db.client, requestHandler: db.requestHandler })`: the same tables without sockets. */
  readonly requestHandler: InProcessRequestHandler;
  /** Waits for running requests and closes the database. */
  readonly close: () => Promise<void>;
}

/** Starts it. Rejects when the port is taken, or when another process has the folder open. */
export const startDynamoDb = async ({
  path,
  staleReadsMs,
  ...where
}: StartDynamoDbOptions = {}): Promise<EmbeddedDynamoDb> => {
  if (path !== undefined && staleReadsMs !== undefined) {
    throw new Error('reads can be made stale only in memory: give either path or staleReadsMs');
  }
  const store = await openStore(path, staleReadsMs);
  const listening = await listen(store.answer, where).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  const { endpoint, close } = listening;
  return {
    endpoint,
    client: { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'AKIALOCAL', secretAccessKey: 'local' } },
    requestHandler: new InProcessRequestHandler(store.answer),
    close: async () => {
      await close();
      await store.close();
    },
  };
};

const openStore = async (path: string | undefined, staleReadsMs: number | undefined): Promise<DynaliteStore> => {
  if (staleReadsMs !== undefined) return laggingReads(openDynalite(undefined), openDynalite(undefined), staleReadsMs);
  if (path === undefined) return openDynalite(undefined);
  const disown = await ownFolder(path);
  const { answer, close } = openDynalite(path);
  return {
    answer,
    close: async () => {
      await close();
      await disown();
    },
  };
};
