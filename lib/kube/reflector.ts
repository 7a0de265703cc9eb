/**
 * List, then watch, for ever: metadata only, in pages, with bookmarks, handing each event on before the next is read (DESIGN §3.11).
 * What has been handed on is kept as a checkpoint, from which the next start resumes, so that deletions in between are seen too.
 */
import { ExpectedError, PermanentError } from '../errors/expected.ts';
import { isKubeError, KubeError } from './errors.ts';
import type { KubeMeta } from './object.ts';
import { collectionPath } from './resources.ts';
import type { KubeTransport } from './transport.ts';
import { isNewer } from './versions.ts';
import { type WatchedObject, watchEvents, watchedObject } from './watch-events.ts';

/** A change that was seen. */
export interface Change {
  readonly object: WatchedObject;
  /** It was created: nobody has written to it since. */
  readonly added: boolean;
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
  /** The server is as far as this version: said before anything of it is handed on. */
  received(resourceVersion: string): void;
  /** A list was needed: events since the last watch may have been missed for good, of children and deletions above all. */
  missed(): void;
  /** The version up to which everything was accepted, by an earlier run. */
  loadCheckpoint(): Promise<string | undefined>;
  saveCheckpoint(resourceVersion: string): Promise<void>;
  /** The cluster's versions are older than the checkpoint: etcd was restored or the cluster replaced. Starts a new epoch. */
  wentBack(): Promise<void>;
  /** Whether the watch is established and caught up with the list. */
  ready(isReady: boolean): void;
  warn(what: string, why: unknown): void;
  /** How often any watch of this server has found it back. */
  timesBack(): number;
  /** Waits before the next try, until `signal` aborts or another watch finds the server back. */
  pause(milliseconds: number, signal: AbortSignal): Promise<void>;
  readonly clock: () => Date;
  readonly random: () => number;
}

const listAccept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';
const watchAccept = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';
/** A page is held whole while it is read: small ones keep the relay small. */
const pageSize = 250;
/** Bookmarks come about each minute; a watch that is silent for three is dead, whatever the socket says. */
const silenceMilliseconds = 190_000;
const checkpointMilliseconds = 30_000;
const longestPauseSeconds = 30;

/**
 * How long to wait after the n-th failure in a row: 1, 1.5, 2.25 … s and half a minute at most, with jitter. Every wait is about half of
 * what was waited before, so that whatever comes back is found after half its absence.
 */
export const pauseSeconds = (failures: number, random: number): number =>
  Math.min(longestPauseSeconds, 1.5 ** (failures - 1)) * (0.5 + 0.5 * random);

interface ListAnswer {
  readonly metadata?: { readonly continue?: string; readonly resourceVersion?: string };
  /** `null` when there are none. */
  readonly items?: readonly { readonly metadata?: KubeMeta }[] | null;
}

interface Page {
  readonly objects: readonly WatchedObject[];
  readonly version: string | undefined;
  readonly next: string | undefined;
}

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

/** Runs until `signal` aborts. Failures are waited out, with jitter, up to half a minute. */
export const runReflector = async (
  kind: string,
  labelSelector: string | undefined,
  ports: ReflectorPorts,
  signal: AbortSignal,
): Promise<void> => {
  const path = collectionPath(kind);

  /** One page, `from` where the last one ended. A function of its own: nothing of the answer outlives it but what it gives. */
  const readPage = async (from: string | undefined): Promise<Page> => {
    const { body } = await ports.transport.send({
      method: 'GET',
      path,
      accept: listAccept,
      query: { limit: String(pageSize), continue: from, labelSelector },
      signal,
      deadlineSeconds: 30,
    });
    const { metadata, items } = JSON.parse(body) as ListAnswer;
    ports.received(metadata?.resourceVersion ?? '');
    return {
      objects: (items ?? []).map(watchedObject),
      version: metadata?.resourceVersion,
      next: metadata?.continue === '' ? undefined : metadata?.continue,
    };
  };

  /** Lists in pages, each handed on before the next is asked for. Gives the version of the list. */
  const list = async (): Promise<string> => {
    const startedAt = ports.clock().getTime();
    let next: string | undefined;
    let version = '';
    do {
      const page = await readPage(next);
      version = page.version ?? version;
      next = page.next;
      await ports.listed({ objects: page.objects, occasion: `${version}@${startedAt}` });
    } while (next !== undefined && !signal.aborted);
    return version;
  };

  /** Up to which version everything was handed on; undefined before a list and after it has expired. */
  let position: string | undefined;
  let isListed = false;
  /** In a row, since the server was last found back. */
  let failures = 0;
  let timesBack = ports.timesBack();
  /** Failures of another sort: a server that was restarted knows no old version, and says so as soon as it is asked. */
  let expirations = 0;

  /** Watches from `from` until the stream ends, and moves `position` on. @throws KubeError `expired` */
  const watch = async (from: string): Promise<void> => {
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
    ports.ready(true);
    let savedAt = ports.clock().getTime();
    for await (const events of watchEvents(notSilent(stream))) {
      const changes = events.flatMap((event) => (event.type === 'change' ? [event] : []));
      if (changes.length > 0) {
        ports.received(changes.at(-1)?.object.metadata.resourceVersion ?? '');
        await ports.changed(changes);
      }
      if (events.some(({ type }) => type !== 'error')) [failures, expirations] = [0, 0];
      for (const event of events) {
        if (event.type === 'error') throw new KubeError(event.expired ? 'expired' : 'server', event.message);
        const version = event.type === 'bookmark' ? event.resourceVersion : event.object.metadata.resourceVersion;
        if (version !== undefined && version !== '') position = version;
      }
      const now = ports.clock().getTime();
      if (position === undefined) continue;
      if (events.some(({ type }) => type === 'bookmark') || now - savedAt > checkpointMilliseconds) {
        savedAt = now;
        // An old checkpoint costs repetitions only: no reason to stop watching.
        await ports.saveCheckpoint(position).catch((error: unknown) => ports.warn(`saving how far ${kind} is`, error));
      }
    }
  };

  /** The version of the server's history now. */
  const versionNow = async (): Promise<string> => {
    const { body } = await ports.transport.send({
      method: 'GET',
      path,
      accept: listAccept,
      query: { limit: '1' },
      signal,
    });
    const version = (JSON.parse(body) as ListAnswer).metadata?.resourceVersion ?? '';
    ports.received(version);
    return version;
  };

  /** Lists what is to be listed, and watches once. */
  const listAndWatch = async (): Promise<void> => {
    // A watch from a version that a restored server has not reached hangs without a word, so each is preceded by a look.
    if (position !== undefined && isNewer(position, await versionNow())) {
      await ports.wentBack();
      position = undefined;
      isListed = false;
    }
    if (!isListed) {
      const listed = await list();
      // From the last run's checkpoint, if there is one: the watch then tells of what happened since.
      if (position === undefined) ports.missed();
      position ??= listed;
      isListed = true;
    }
    if (position !== undefined) await watch(position);
  };

  position = await patiently(() => ports.loadCheckpoint());
  while (!signal.aborted) {
    try {
      await listAndWatch();
    } catch (error) {
      if (signal.aborted) return;
      const isExpired = isKubeError(error, 'expired');
      if (isExpired || error instanceof PermanentError) {
        position = undefined;
        isListed = false;
      }
      await wait(error, isExpired);
    }
  }

  async function wait(error: unknown, isExpired: boolean): Promise<void> {
    ports.ready(false);
    ports.warn(`watching ${kind}`, error);
    const inARow = isExpired ? expiredAgain() : failedAgain();
    if (inARow > 0) await ports.pause(pauseSeconds(inARow, ports.random()) * 1000, signal);
  }

  /** Back is not yet whole: what is served last is asked for again as after a first failure, even if it was just being asked for. */
  function failedAgain(): number {
    if (timesBack !== ports.timesBack()) failures = 0;
    timesBack = ports.timesBack();
    failures += 1;
    return failures;
  }

  /** The first is the way in which a server says that it was restarted: no reason to wait. */
  function expiredAgain(): number {
    expirations += 1;
    return expirations - 1;
  }

  async function patiently<T>(load: () => Promise<T | undefined>): Promise<T | undefined> {
    while (!signal.aborted) {
      try {
        return await load();
      } catch (error) {
        await wait(error, false);
      }
    }
    return undefined;
  }
};
