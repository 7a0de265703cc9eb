/** The embedded DynamoDB of standalone mode (DESIGN §3.18): dynalite, over HTTP on loopback or through the SDK's request handler. */

import { mkdir } from 'node:fs/promises';
import { openDynalite } from './dynalite-store.ts';
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
  if (path !== undefined) await mkdir(path, { recursive: true });
  const store =
    staleReadsMs === undefined
      ? openDynalite(path)
      : laggingReads(openDynalite(undefined), openDynalite(undefined), staleReadsMs);
  const { endpoint, close } = await listen(store.answer, where);
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
