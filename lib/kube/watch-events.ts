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

/** One line of a watch. `bookmark` only moves the version; `error` ends the watch, `expired` says that the version is too old. */
export type WatchEvent =
  | { readonly type: 'change'; readonly added: boolean; readonly deleted: boolean; readonly object: WatchedObject }
  | { readonly type: 'bookmark'; readonly resourceVersion: string }
  | { readonly type: 'error'; readonly expired: boolean; readonly message: string };

/** A line longer than this is no metadata of an object: etcd takes 1.5 MiB an object. */
const maxLineBytes = 2 * 1024 * 1024;

interface RawEvent {
  readonly type?: string;
  readonly object?: { readonly metadata?: KubeMeta; readonly code?: number; readonly message?: string };
}

/** Reads one line. @throws SyntaxError when it is not JSON */
export const parseWatchLine = (line: string): WatchEvent => {
  const { type, object } = JSON.parse(line) as RawEvent;
  if (type === 'ERROR')
    return {
      type: 'error',
      expired: object?.code === 410,
      message: object?.message ?? 'the watch ended with an error',
    };
  if (type === 'BOOKMARK') return { type: 'bookmark', resourceVersion: object?.metadata?.resourceVersion ?? '' };
  return {
    type: 'change',
    added: type === 'ADDED',
    deleted: type === 'DELETED',
    object: watchedObject(object ?? {}),
  };
};

/** Splits a stream into lists of events: one list for each chunk, so that a burst is handed on together and nothing waits. */
export async function* watchEvents(stream: AsyncIterable<Uint8Array>): AsyncGenerator<readonly WatchEvent[]> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > maxLineBytes) throw new Error(`a watch event is longer than ${maxLineBytes} bytes`);
    const events = lines.filter((line) => line.trim() !== '').map(parseWatchLine);
    if (events.length > 0) yield events;
  }
}
