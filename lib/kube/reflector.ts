/**
 * List, then watch, for ever: metadata only, with bookmarks (DESIGN §3.11). Everything up to `position` was handed on and accepted; what is
 * listed later is handed on only if it is newer, so that no list repeats what a watch has told (docs/decisions/0010). The position is kept
 * as a checkpoint, from which the next start resumes, so that deletions in between are seen too.
 */
import { ExpectedError, PermanentError } from '../errors/expected.ts';
import { versionNow } from './collection.ts';
import { isKubeError } from './errors.ts';
import { listCollection } from './listing.ts';
import type { OneAtATime } from './one-at-a-time.ts';
import { SilentWatch, WatchEnded, watchOnce } from './one-watch.ts';
import { collectionPath } from './resources.ts';
import type { KubeTransport } from './transport.ts';
import { isNewer, isNoNewer } from './versions.ts';
import type { WatchedMeta, WatchedObject } from './watch-events.ts';
import { isFailure, mustPoll, pauseAfterFailure, restAfterList, usualTimes, type WatchTimes } from './watch-times.ts';

/** A change that was seen. */
export interface Change {
  readonly object: WatchedObject;
  /** It was created: nobody has written to it since. */
  readonly added: boolean;
  readonly deleted: boolean;
}

/** Objects of a list. `occasion` names the list: its version and when it began. */
export interface ListedPage {
  readonly objects: readonly WatchedObject[];
  readonly occasion: string;
  /** Nothing of this history was handed on before: all objects are listed, whatever became of them. */
  readonly isFirst: boolean;
}

/** What a reflector needs. A promise that it waits for is its back-pressure: nothing more is read meanwhile. */
export interface ReflectorPorts {
  readonly transport: KubeTransport;
  /** Whom this reflector shares its memory for pages with. */
  readonly pages?: OneAtATime;
  /** Resolves when everything has been accepted by the queues. */
  listed(page: ListedPage): Promise<void>;
  /** The server is as far as this version: said before anything of it is handed on, with its changes when it is a watch that tells them. */
  received(resourceVersion: string, changes?: readonly Change[]): void;
  /** As `listed`; called again before it has resolved, and in order. */
  changed(changes: readonly Change[]): Promise<void>;
  /**
   * A list was needed and is handed on up to `resourceVersion`: events since the last watch may have been missed for good, of deletions above all.
   */
  missed(resourceVersion: string): void;
  /** The version up to which everything was accepted, by an earlier run. */
  loadCheckpoint(): Promise<string | undefined>;
  saveCheckpoint(resourceVersion: string): Promise<void>;
  /** Whether a start hands on again all that is there, though a checkpoint says that it was; it does without. */
  readonly repeatsAtStart?: boolean;
  /** The cluster's versions are older than the checkpoint: etcd was restored or the cluster replaced. Starts a new epoch. */
  wentBack(): Promise<void>;
  /** Whether all changes are heard of: by a watch that is caught up with the list, or by lists in its place. */
  ready(isReady: boolean): void;
  warn(what: string, why: unknown): void;
  /** How often any watch of this server has found it back. */
  timesBack(): number;
  /** Waits before the next try, until `signal` aborts or another watch finds the server back. */
  pause(milliseconds: number, signal: AbortSignal): Promise<void>;
  readonly clock: () => Date;
  readonly random: () => number;
  readonly times?: WatchTimes;
}

/** Who saves puts the kinds together and says how far they are every half minute (lib/relay/place.ts). */
const checkpointMilliseconds = 30_000;
/** Watches that bear something and end at once follow each other no faster. */
const shortestWatchMilliseconds = 1000;
const lookAgainMilliseconds = 2000;

/** The server is older than what was seen of it. */
class Behind extends ExpectedError {
  override readonly name: string = 'Behind';
}

/** How a watch ended. */
interface Outcome {
  readonly seconds: number;
  readonly cameAnything: boolean;
  /** Why it broke off; undefined when the server ended it. */
  readonly error: Error | undefined;
}

/** Runs until `signal` aborts. Failures are waited out, with jitter, up to half a minute. */
export const runReflector = async (
  kind: string,
  labelSelector: string | undefined,
  ports: ReflectorPorts,
  signal: AbortSignal,
): Promise<void> => {
  const collection = { transport: ports.transport, path: collectionPath(kind), labelSelector, pages: ports.pages };
  const times = ports.times ?? usualTimes;
  const now = (): number => ports.clock().getTime();

  /** Everything up to it was handed on; undefined before the first list of a history. */
  let position: string | undefined;
  /** Events may be missing behind the position: it moves on with a list alone. */
  let isLost = false;
  let isStart = true;
  /** What a start hands on again. */
  let repetition: Promise<void> | undefined;
  /** The last watch broke off: another server may answer now, which lags behind the one before. */
  let isAfterBreak = false;
  /** The last watch went on to its end: the server was there a moment ago, with the history that is known. */
  let isTrusted = false;
  let behindSince: number | undefined;
  /** In a row, since the server was last found back. */
  let failures = 0;
  let fruitless = 0;
  let timesBack = ports.timesBack();
  /** Failures of another sort: a server that was restarted knows no old version, and says so as soon as it is asked. */
  let expirations = 0;
  /** In the order of the loop below: a failure while a watch is open is one of the watch, not of the server. */
  let isWatching = false;
  let isSaved = false;
  let savedAt = now();
  let lastList = { endedAt: Number.NEGATIVE_INFINITY, seconds: 0 };

  /** @throws Behind when the server has not come so far as it was. One that stays so has lost its history: then nothing is known. */
  const judge = async (version: string): Promise<void> => {
    ports.received(version);
    if (position === undefined || !isNewer(position, version)) {
      behindSince = undefined;
      return;
    }
    behindSince ??= now();
    if (now() - behindSince < times.behindSeconds * 1000)
      throw new Behind(`the API server is at version ${version}, and was at ${position} before`);
    behindSince = undefined;
    await ports.wentBack();
    position = undefined;
  };

  /** Hands on what is newer than `floor`, all without. Gives the list's version, and the newest of what was handed on. */
  const list = async (
    floor: string | undefined,
    isMeant: AbortSignal = signal,
  ): Promise<{ readonly version: string; readonly newest: string | undefined }> => {
    const startedAt = now();
    const isFirst = position === undefined;
    let occasion = '';
    let newest: string | undefined;
    const version = await listCollection(
      collection,
      {
        begins: (of) => {
          if (position !== undefined && isNewer(position, of))
            throw new Behind(`the API server lists version ${of}, and was at ${position} before`);
          ports.received(of);
          occasion = `${of}@${startedAt}`;
        },
        isNews: ({ resourceVersion = '' }: WatchedMeta) => floor === undefined || !isNoNewer(resourceVersion, floor),
        each: async (objects) => {
          for (const { metadata } of objects) {
            const { resourceVersion = '' } = metadata;
            if (newest === undefined || isNewer(resourceVersion, newest)) newest = resourceVersion;
          }
          await ports.listed({ objects, occasion, isFirst });
        },
      },
      isMeant,
    );
    lastList = { endedAt: now(), seconds: (now() - startedAt) / 1000 };
    return { version, newest };
  };

  /** For how long no list should follow the last. */
  const restMilliseconds = (): number => lastList.endedAt + restAfterList(lastList.seconds) * 1000 - now();

  /** Lists where a watch is not enough. */
  const catchUp = async (): Promise<void> => {
    if (position === undefined || isLost) {
      // The first expiry is the way in which a server says that it was restarted.
      if (expirations !== 1 && restMilliseconds() > 0) await ports.pause(restMilliseconds(), signal);
      const { version, newest } = await list(position);
      if (signal.aborted) return;
      position = version;
      [isLost, isAfterBreak] = [false, false];
      ports.missed(version);
      // Quiet watches that lasted have missed nothing, as it turns out.
      if (newest === undefined && failures === 0) fruitless = 0;
      if (mustPoll(fruitless)) ports.ready(true);
    } else if (isStart && ports.repeatsAtStart !== false) repetition = repeat();
    isStart = false;
  };

  /** Hands on all that is there, beside the watch: whoever does something just now does not wait for thousands that have not changed. */
  const repeat = async (): Promise<void> => {
    for (let tries = 1; !signal.aborted; tries += 1)
      try {
        await list(undefined);
        return;
      } catch (error) {
        if (signal.aborted) return;
        ports.warn(`listing ${kind} at the start`, error);
        await ports.pause(pauseAfterFailure(tries, 0, ports.random()) * 1000, signal);
      }
  };

  /**
   * Beside the first watch after a break: hands on at once what its server, which may lag behind the one before, tells only later. Gives the
   * newest of it, `nothing` when there is none, and undefined when nobody knows.
   */
  const compare = async (over: AbortSignal): Promise<string | undefined> => {
    await ports.pause(times.settlingSeconds * 1000, over);
    if (over.aborted || signal.aborted || restMilliseconds() > 0) return undefined;
    return (await list(position)).newest ?? 'nothing';
  };

  const reached = async (version: string, isPause: boolean): Promise<void> => {
    position = version;
    [failures, fruitless, expirations] = [0, 0, 0];
    if (now() - savedAt < checkpointMilliseconds && !(isPause && !isSaved)) return;
    [savedAt, isSaved] = [now(), true];
    // An old checkpoint costs repetitions only: no reason to stop watching.
    await ports.saveCheckpoint(version).catch((error: unknown) => ports.warn(`saving how far ${kind} is`, error));
  };

  /** Watches from the position on until the stream ends, and moves it on. */
  const watch = async (from: string): Promise<Outcome> => {
    const startedAt = now();
    const isSuspected = isAfterBreak || fruitless > 0;
    const seconds = isSuspected ? times.suspectedSeconds : times.trustedSeconds - Math.floor(4 * ports.random());
    const isPolled = mustPoll(fruitless);
    const over = new AbortController();
    let cameAnything = false;
    let comparison: Promise<string | undefined> | undefined;
    let error: Error | undefined;
    isWatching = true;
    const ended = await watchOnce(
      collection,
      { from, seconds, graceSeconds: times.graceSeconds },
      {
        opened: () => {
          if (!isPolled) ports.ready(true);
          if (isAfterBreak && !isPolled)
            comparison = compare(AbortSignal.any([signal, over.signal])).catch((why: unknown) => {
              ports.warn(`listing ${kind} beside its watch`, why);
              return undefined;
            });
        },
        handOn: (changes) => {
          ports.received(changes.at(-1)?.object.metadata.resourceVersion ?? '', changes);
          return ports.changed(changes);
        },
        reached: async (version, isPause) => {
          if (isPolled && !cameAnything) ports.ready(true);
          cameAnything = true;
          await reached(version, isPause);
        },
      },
      signal,
    ).catch((why: unknown) => {
      error = why instanceof Error ? why : new Error(String(why));
      return { isWhole: false };
    });
    over.abort();
    const newest = await comparison;
    // A list that finds nothing new shows that a watch was rightly silent; one that does, that the server lags or the watch is blind.
    const isProven = newest === 'nothing' && error instanceof SilentWatch;
    const lags = newest !== undefined && position !== undefined && isNewer(newest, position);
    // A stream that the server ended in its time has told all there was: of a kind without events since its start a server sends no bookmark either.
    if (isProven || ended.isWhole) fruitless = 0;
    else if (!cameAnything) fruitless += 1;
    isAfterBreak = lags || !(ended.isWhole || isProven);
    isTrusted = ended.isWhole && cameAnything;
    return { seconds: (now() - startedAt) / 1000, cameAnything, error };
  };

  /** One round: lists what is to be listed, and watches once. */
  const listAndWatch = async (): Promise<void> => {
    isWatching = false;
    // A watch from a version that a restored server has not reached hangs without a word, so each is preceded by a look.
    if (position !== undefined && !isTrusted) await judge(await versionNow(collection, signal));
    await catchUp();
    if (position === undefined || signal.aborted) return;
    const outcome = await watch(position);
    if (mustPoll(fruitless)) isLost = true;
    if (outcome.error instanceof SilentWatch) ports.warn(`watching ${kind}`, outcome.error);
    else if (outcome.error !== undefined) throw outcome.error;
    else if (isFailure(outcome)) throw new ExpectedError(`the watch ended after ${outcome.seconds} s and told nothing`);
    if (!outcome.cameAnything) failures = 0;
    const early = shortestWatchMilliseconds - outcome.seconds * 1000;
    if (early > 0) await ports.pause(early, signal);
  };

  position = await patiently(() => ports.loadCheckpoint());
  while (!signal.aborted) {
    try {
      await listAndWatch();
    } catch (error) {
      if (signal.aborted) return;
      const isExpired = isKubeError(error, 'expired');
      if (isExpired || error instanceof WatchEnded || error instanceof PermanentError) isLost = true;
      isTrusted = false;
      await wait(error, isExpired);
    }
  }
  await repetition;

  async function wait(error: unknown, isExpired: boolean): Promise<void> {
    // Lists that stand for watches tell everything: what the watches lack is no interruption.
    if (!(isWatching && mustPoll(fruitless))) ports.ready(false);
    ports.warn(`watching ${kind}`, error);
    if (error instanceof Behind) return ports.pause(lookAgainMilliseconds, signal);
    const inARow = isExpired ? expiredAgain() : failedAgain();
    if (inARow === 0) return;
    await ports.pause(pauseAfterFailure(inARow, fruitless, ports.random()) * 1000, signal);
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
