/** The watch stream's lines, as events (Kubernetes API concepts, "Efficient detection of changes"). */
import type { KubeMeta } from './object.ts';

/** What is kept of an object's metadata: a large part of the rest is managedFields. */
export type WatchedMeta = {
  readonly [Field in 'name' | 'namespace' | 'uid' | 'resourceVersion' | 'ownerReferences']?:
    | KubeMeta[Field]
    | undefined;
};

/** What a metadata-only watch tells of an object. */
export interface WatchedObject {
  readonly metadata: WatchedMeta;
}

/** Only what is kept, so that the answer it was read from can go while it is handed on. */
export const watchedObject = ({ metadata }: { readonly metadata?: KubeMeta | undefined }): WatchedObject => {
  const { name, namespace, uid, resourceVersion, ownerReferences } = metadata ?? {};
  return { metadata: { name, namespace, uid, resourceVersion, ownerReferences } };
};

/**
 * One line of a watch. `bookmark` only moves the version; `error` ends the watch, `expired` says that the version is too old. A line that is
 * none of an API server is an error too: what it should have said is known only by a list.
 */
export type WatchEvent =
  | { readonly type: 'change'; readonly added: boolean; readonly deleted: boolean; readonly object: WatchedObject }
  | { readonly type: 'bookmark'; readonly resourceVersion: string }
  | { readonly type: 'error'; readonly expired: boolean; readonly message: string };

/** A line longer than this is no metadata of an object: etcd takes 1.5 MiB an object, of which JSON may make six characters for one. */
const maxLineBytes = 12 * 1024 * 1024;
const newline = 0x0a;

interface RawEvent {
  readonly type?: unknown;
  readonly object?: {
    readonly metadata?: KubeMeta | null;
    readonly code?: unknown;
    readonly message?: unknown;
  } | null;
}

const notOurs = (why: string): WatchEvent => ({ type: 'error', expired: false, message: `a line of the watch ${why}` });

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
};

/** Reads one line. */
export const parseWatchLine = (line: string): WatchEvent => {
  const { type, object } = (parsed(line) ?? {}) as RawEvent;
  if (type === 'ERROR') {
    const message = typeof object?.message === 'string' ? object.message : 'the watch ended with an error';
    return { type: 'error', expired: object?.code === 410, message };
  }
  const metadata = object?.metadata;
  if (typeof metadata !== 'object' || metadata === null) return notOurs('is no event of an object');
  if (type === 'BOOKMARK') return { type: 'bookmark', resourceVersion: metadata.resourceVersion ?? '' };
  if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') return notOurs('is of a type that is not known');
  if (typeof metadata.name !== 'string' || typeof metadata.resourceVersion !== 'string')
    return notOurs('names no object');
  return { type: 'change', added: type === 'ADDED', deleted: type === 'DELETED', object: watchedObject({ metadata }) };
};

const decoder = new TextDecoder();
const textOf = (bytes: Uint8Array): string => decoder.decode(bytes);

/** Splits a stream into lists of events: one list for each chunk, so that a burst is handed on together and nothing waits. */
export async function* watchEvents(stream: AsyncIterable<Uint8Array>): AsyncGenerator<readonly WatchEvent[]> {
  /** The beginning of a line whose end has not come. */
  let begun: Uint8Array[] = [];
  let begunBytes = 0;
  for await (const chunk of stream) {
    const events: WatchEvent[] = [];
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      const rest = chunk.subarray(from, end);
      const line = textOf(begun.length === 0 ? rest : Buffer.concat([...begun, rest]));
      [begun, begunBytes, from] = [[], 0, end + 1];
      if (line.trim() !== '') events.push(parseWatchLine(line));
    }
    if (from < chunk.length) begun.push(Uint8Array.from(chunk.subarray(from)));
    begunBytes += chunk.length - from;
    if (begunBytes > maxLineBytes) throw new Error(`a watch event is longer than ${maxLineBytes} bytes`);
    if (events.length > 0) yield events;
  }
}
