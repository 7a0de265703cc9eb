/** One watch, from its request to its end: what comes is handed on, several batches at once, and counts as seen in order. */
import { ExpectedError } from '../errors/expected.ts';
import type { Collection } from './collection.ts';
import { KubeError } from './errors.ts';
import { HandOffs } from './hand-offs.ts';
import { type WatchEvent, watchEvents } from './watch-events.ts';

/** What becomes of it. */
export interface OneWatchPorts {
  /** The server has said yes. */
  opened(): void;
  /** Hands events on that are neither bookmarks nor errors. What it throws ends the watch. */
  handOn(changes: readonly ChangeEvent[]): Promise<void>;
  /** Everything up to `version` was handed on; `isPause` when the server has nothing more at the moment. */
  reached(version: string, isPause: boolean): void | Promise<void>;
}

type ChangeEvent = Extract<WatchEvent, { type: 'change' }>;

/** The server's word that the watch cannot go on from there: only a list can. */
export class WatchEnded extends KubeError {
  override readonly name: string = 'WatchEnded';
}

/** Nothing came for too long, though the connection is open. */
export class SilentWatch extends ExpectedError {
  override readonly name: string = 'SilentWatch';
}

const watchAccept = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';
/** What is read of a watch before the queues have taken it. */
const mostBytesUnderWay = 1024 * 1024;
/** The server ends a watch itself; this is for one that does not. */
const patienceSeconds = 30;

interface Stream extends AsyncIterable<Uint8Array> {
  destroy(error?: Error): unknown;
}

/** Gives the chunks, counts their bytes, and fails when none came for so long. */
async function* notSilent(stream: Stream, seconds: number, count: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  const silent = (): NodeJS.Timeout =>
    setTimeout(
      () => stream.destroy(new SilentWatch(`the watch was silent for ${Math.round(seconds)} s`)),
      seconds * 1000,
    );
  let timer = silent();
  try {
    for await (const chunk of stream) {
      clearTimeout(timer);
      count(chunk.length);
      yield chunk;
      timer = silent();
    }
  } finally {
    clearTimeout(timer);
  }
}

/** The version that an event tells; empty when none. */
const versionOf = (event: WatchEvent): string => {
  if (event.type === 'error') return '';
  return event.type === 'bookmark' ? event.resourceVersion : (event.object.metadata.resourceVersion ?? '');
};

/**
 * Watches `from` a version on until the server ends the stream. Gives whether that was when it had been asked to. @throws WatchEnded,
 * KubeError, and what `handOn` throws
 */
export const watchOnce = async (
  { transport, path, labelSelector }: Collection,
  { from, seconds, graceSeconds }: { readonly from: string; readonly seconds: number; readonly graceSeconds: number },
  ports: OneWatchPorts,
  signal: AbortSignal,
): Promise<{ readonly isWhole: boolean }> => {
  const startedAt = performance.now();
  const stream = await transport.stream({
    method: 'GET',
    path,
    accept: watchAccept,
    query: {
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: from,
      timeoutSeconds: String(seconds),
      labelSelector,
    },
    signal,
    deadlineSeconds: seconds + patienceSeconds,
  });
  ports.opened();
  const handOffs = new HandOffs(mostBytesUnderWay, (error) =>
    stream.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  let unseen = 0;
  const chunks = notSilent(stream, seconds + graceSeconds, (bytes) => {
    unseen += bytes;
  });
  try {
    for await (const events of watchEvents(chunks)) {
      const end = events.findIndex(({ type }) => type === 'error');
      const good = end < 0 ? events : events.slice(0, end);
      const changes = good.filter((event) => event.type === 'change');
      const version = good.map(versionOf).findLast((text) => text !== '');
      const isPause = good.at(-1)?.type === 'bookmark';
      const bytes = unseen;
      unseen = 0;
      await handOffs.add(bytes, changes.length === 0 ? Promise.resolve() : ports.handOn(changes), () =>
        version === undefined ? undefined : ports.reached(version, isPause),
      );
      const error = events[end];
      if (error?.type === 'error') throw new WatchEnded(error.expired ? 'expired' : 'server', error.message);
    }
  } finally {
    stream.destroy();
    // What is under way may still be accepted: the next watch then begins behind it.
    await handOffs.all().catch(() => undefined);
  }
  await handOffs.all();
  return { isWhole: performance.now() - startedAt >= (seconds - graceSeconds) * 1000 };
};
