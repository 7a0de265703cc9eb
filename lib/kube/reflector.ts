/**
 * List, then watch, for ever: metadata only, in pages, with bookmarks, handing each event on before the next is read (DESIGN §3.11).
 * What has been handed on is kept as a checkpoint, from which the next start resumes, so that deletions in between are seen too.
 */
import { ExpectedError } from '../errors/expected.ts';
import { isKubeError } from './errors.ts';
import { collectionPath } from './resources.ts';
import type { KubeTransport } from './transport.ts';
import { type WatchedObject, watchEvents } from './watch-events.ts';

/** A change that was seen. */
export interface Change {
  readonly object: WatchedObject;
  readonly deleted: boolean;
}

/** A page of a list. `occasion` names the list: its version and when it began. */
export interface ListedPage {
  readonly objects: readonly WatchedObject[];
  readonly occasion: string;
}

/** What a reflector needs. A promise that it waits for is its back-pressure: nothing is read meanwhile. */
export interface ReflectorPorts {
  readonly transport: KubeTransport;
  /** Resolves when everything has been accepted by the queues. */
  listed(page: ListedPage): Promise<void>;
  changed(changes: readonly Change[]): Promise<void>;
  /** A list was needed: events since the last watch may have been missed for good, of children and deletions above all. */
  missed(): Promise<void>;
  /** The version up to which everything was accepted, by an earlier run. */
  loadCheckpoint(): Promise<string | undefined>;
  saveCheckpoint(resourceVersion: string): Promise<void>;
  /** The cluster's versions are older than the checkpoint: etcd was restored or the cluster replaced. Starts a new epoch. */
  wentBack(): Promise<void>;
  /** Whether the watch is established and caught up with the list. */
  ready(isReady: boolean): void;
  warn(what: string, why: unknown): void;
  readonly clock: () => Date;
  readonly random: () => number;
}

const listAccept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';
const watchAccept = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';
const pageSize = 500;
/** Bookmarks come about each minute; a watch that is silent for three is dead, whatever the socket says. */
const silenceMilliseconds = 190_000;
const checkpointMilliseconds = 30_000;
const longestPauseSeconds = 30;

interface ListAnswer {
  readonly metadata?: { readonly continue?: string; readonly resourceVersion?: string };
  readonly items?: readonly WatchedObject[];
}

const sleep = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, milliseconds);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });

/** Fails the read when nothing arrives for too long. */
async function* notSilent(
  stream: AsyncIterable<Uint8Array> & { destroy(error?: Error): unknown },
): AsyncGenerator<Uint8Array> {
  const silent = (): NodeJS.Timeout =>
    setTimeout(() => stream.destroy(new ExpectedError('the watch was silent for too long')), silenceMilliseconds);
  let timer = silent();
  try {
    for await (const chunk of stream) {
      clearTimeout(timer);
      yield chunk;
      timer = silent();
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Whether version `a` is newer than `b`: decimal integers of any length (KEP-5504). Unreadable ones count as newer: list again. */
export const isNewer = (a: string, b: string): boolean =>
  !/^[1-9]\d*$/.test(a) || !/^[1-9]\d*$/.test(b) || (a.length === b.length ? a > b : a.length > b.length);

/** Runs until `signal` aborts. Failures are waited out, with jitter, up to half a minute. */
export const runReflector = async (
  kind: string,
  labelSelector: string | undefined,
  ports: ReflectorPorts,
  signal: AbortSignal,
): Promise<void> => {
  const path = collectionPath(kind);

  /** Lists in pages, each handed on before the next is asked for. Gives the version of the list. */
  const list = async (): Promise<string> => {
    const startedAt = ports.clock().getTime();
    let next: string | undefined;
    let version = '';
    do {
      const { body } = await ports.transport.send({
        method: 'GET',
        path,
        accept: listAccept,
        query: { limit: String(pageSize), continue: next, labelSelector },
        signal,
        deadlineSeconds: 30,
      });
      const answer = JSON.parse(body) as ListAnswer;
      version = answer.metadata?.resourceVersion ?? version;
      next = answer.metadata?.continue === '' ? undefined : answer.metadata?.continue;
      await ports.listed({ objects: answer.items ?? [], occasion: `${version}@${startedAt}` });
    } while (next !== undefined && !signal.aborted);
    return version;
  };

  /** Watches from `from` until the stream ends; gives the version reached, or undefined when it has expired. */
  const watch = async (from: string, established: () => void): Promise<string | undefined> => {
    const timeoutSeconds = 240 + Math.floor(60 * ports.random());
    const stream = await ports.transport.stream({
      method: 'GET',
      path,
      accept: watchAccept,
      query: {
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: from,
        timeoutSeconds: String(timeoutSeconds),
        labelSelector,
      },
      signal,
      deadlineSeconds: timeoutSeconds + 30,
    });
    established();
    let version = from;
    let savedAt = ports.clock().getTime();
    for await (const events of watchEvents(notSilent(stream))) {
      const changes = events.flatMap((event) => (event.type === 'change' ? [event] : []));
      if (changes.length > 0) await ports.changed(changes);
      let bookmarked = false;
      for (const event of events) {
        if (event.type === 'error') {
          if (event.expired) return undefined;
          throw new ExpectedError(event.message);
        }
        bookmarked ||= event.type === 'bookmark';
        version =
          (event.type === 'bookmark' ? event.resourceVersion : event.object.metadata.resourceVersion) ?? version;
      }
      const now = ports.clock().getTime();
      if (bookmarked || now - savedAt > checkpointMilliseconds) {
        await ports.saveCheckpoint(version);
        savedAt = now;
      }
    }
    return version;
  };

  /** Lists, and decides where to watch from: the last run's checkpoint tells of deletions since, unless history went back. */
  const start = async (checkpoint: string | undefined): Promise<string> => {
    const listed = await list();
    if (checkpoint !== undefined && !isNewer(checkpoint, listed)) return checkpoint;
    if (checkpoint !== undefined) await ports.wentBack();
    const version = checkpoint === undefined ? listed : await list();
    await ports.missed();
    return version;
  };

  let checkpoint = await patiently(() => ports.loadCheckpoint());
  let from: string | undefined;
  let failures = 0;
  const established = (): void => {
    failures = 0;
    ports.ready(true);
  };
  while (!signal.aborted) {
    try {
      if (from === undefined) {
        from = await start(checkpoint);
        checkpoint = undefined;
      }
      from = await watch(from, established);
    } catch (error) {
      if (signal.aborted) return;
      if (isKubeError(error, 'expired')) from = undefined;
      failures += 1;
      await wait(error);
    }
  }

  async function wait(error: unknown): Promise<void> {
    ports.ready(false);
    ports.warn(`watching ${kind}`, error);
    const seconds = Math.min(longestPauseSeconds, 2 ** (failures - 1)) * (0.5 + 0.5 * ports.random());
    await sleep(seconds * 1000, signal);
  }

  async function patiently<T>(load: () => Promise<T | undefined>): Promise<T | undefined> {
    while (!signal.aborted) {
      try {
        return await load();
      } catch (error) {
        failures += 1;
        await wait(error);
      }
    }
    return undefined;
  }
};
