/** One collection of an API server, read page by page: metadata only, object by object, in pages that are small however large the objects are. */
import { KubeError } from './errors.ts';
import { ListReader } from './list-reader.ts';
import type { KubeMeta } from './object.ts';
import type { OneAtATime } from './one-at-a-time.ts';
import type { KubeTransport } from './transport.ts';
import { type WatchedObject, watchedObject } from './watch-events.ts';

/** Which objects, and where. */
export interface Collection {
  readonly transport: KubeTransport;
  readonly path: string;
  readonly labelSelector: string | undefined;
  /** Who else reads pages, so that one is held at a time; nobody without. */
  readonly pages?: OneAtATime | undefined;
}

/** A page of a list. */
export interface Page {
  readonly objects: readonly WatchedObject[];
  /** The version of the list: everything of it that was written by then is in it. */
  readonly version: string;
  /** The token of the next page; undefined after the last. */
  readonly next: string | undefined;
  /** How long the answer was. */
  readonly bytes: number;
}

const listAccept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';
const pageSeconds = 30;

const metaOf = (item: unknown): WatchedObject => watchedObject(item as { readonly metadata?: KubeMeta });

interface Asked {
  readonly limit: number;
  readonly from?: string | undefined;
}

/** Reads `limit` objects at most. @throws KubeError, PermanentError */
export const readPage = (collection: Collection, asked: Asked, signal: AbortSignal): Promise<Page> => {
  const read = (): Promise<Page> => readNow(collection, asked, signal);
  return collection.pages === undefined ? read() : collection.pages(read);
};

const readNow = async (
  { transport, path, labelSelector }: Collection,
  { limit, from }: Asked,
  signal: AbortSignal,
): Promise<Page> => {
  const what = `GET ${path}`;
  const stream = await transport.stream({
    method: 'GET',
    path,
    accept: listAccept,
    query: { limit: String(limit), continue: from, labelSelector },
    signal,
    deadlineSeconds: pageSeconds,
  });
  const objects: WatchedObject[] = [];
  let bytes = 0;
  const reader = new ListReader((item) => void objects.push(metaOf(item)));
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      reader.push(chunk);
    }
    const { metadata } = reader.end();
    return { objects, bytes, version: metadata?.resourceVersion ?? '', next: metadata?.continue || undefined };
  } catch (cause) {
    const isNoList = cause instanceof SyntaxError;
    const said = isNoList ? 'did not answer with a list' : 'broke off in the middle of a list';
    throw new KubeError(isNoList ? 'server' : 'unreachable', `${what}: ${transport.server} ${said}`, { cause });
  } finally {
    stream.destroy();
  }
};

/** The version of the server's history now. @throws KubeError, PermanentError */
export const versionNow = async (collection: Collection, signal: AbortSignal): Promise<string> =>
  (await readNow({ ...collection, labelSelector: undefined }, { limit: 1 }, signal)).version;
