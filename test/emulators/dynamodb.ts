/** An emulated DynamoDB, for tests alone: dynalite, over HTTP on loopback or through the SDK's request handler. */

import { openDynalite } from './dynalite-store.ts';
import { InProcessRequestHandler } from './in-process.ts';
import { laggingReads } from './lagging-reads.ts';
import { type ListenOptions, listen } from './loopback.ts';

export interface StartDynamoDbOptions extends ListenOptions {
  /** Serve reads without ConsistentRead a state this old, in milliseconds. */
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

/** Starts it, in memory. Rejects when the port is taken. */
export const startDynamoDb = async ({
  staleReadsMs,
  ...where
}: StartDynamoDbOptions = {}): Promise<EmbeddedDynamoDb> => {
  const store =
    staleReadsMs === undefined ? openDynalite() : laggingReads(openDynalite(), openDynalite(), staleReadsMs);
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
