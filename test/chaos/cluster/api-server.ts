/**
 * An API server over the store, below `kubeClient` and the reflector: what the product knows as a transport. Does: reads from the store and from
 * a watch cache that may stay behind, lists in pages, watches with bookmarks and 410, writes with conflicts, uids as preconditions, finalizers,
 * the status subresource. Does not: schemas, admission, server-side apply, selectors but of equality and presence.
 */
import type { IncomingMessage } from 'node:http';
import { answerError, KubeError } from '../../../lib/kube/errors.ts';
import type { KubeAnswer, KubeRequest, KubeTransport } from '../../../lib/kube/transport.ts';
import type { Calls } from '../calls.ts';
import type { Dice } from '../dice.ts';
import type { VirtualTime } from '../virtual-time.ts';
import { type ClusterStore, collectionOf, parsed, type Stored } from './store.ts';
import { HeldWatch } from './watch.ts';

const server = 'chaos:6443';
const bookmarkMilliseconds = 60_000;
/** Before a watch ends as agreed the server says how far it is (apiserver, `cacheWatcher`). */
const lastWordMilliseconds = 2000;
/** Some answer after a moment even when nothing is wrong: how far the watch cache is usually behind, in milliseconds. */
const usualLagMilliseconds = 40;

/** What it is made of. */
export interface ApiServerParts {
  readonly time: VirtualTime;
  readonly dice: Dice;
  readonly calls: Calls;
  readonly store: ClusterStore;
}

const status = (code: number, reason: string, name: string): string =>
  JSON.stringify({ kind: 'Status', status: 'Failure', code, reason, message: `${name}: ${reason}`, details: { name } });

const refuse = (code: number, reason: string, name: string): never => {
  throw answerError(server, code, status(code, reason, name), undefined);
};

const merged = (target: unknown, patch: unknown): unknown => {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const base = typeof target === 'object' && target !== null && !Array.isArray(target) ? target : {};
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(patch))
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  return result;
};

type Selects = (object: Stored) => boolean;

/** `key` or `key=value`, joined by commas. */
const selectorOf = ({ query = {} }: KubeRequest): Selects => {
  const terms = (query['labelSelector'] ?? '').split(',').filter((term) => term !== '');
  const name = /^metadata\.name=(.+)$/.exec(query['fieldSelector'] ?? '')?.[1];
  return ({ metadata }) =>
    (name === undefined || metadata.name === name) &&
    terms.every((term) => {
      const [key = '', value] = term.split('=');
      const found = metadata.labels?.[key];
      return found !== undefined && (value === undefined || found === value);
    });
};

const onlyMetadata = ({ metadata }: Stored): object => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata,
});

/** Whether a path names a kind and no object. */
const isCollection = (path: string): boolean =>
  /^\/(?:api|apis\/[^/]+)\/[^/]+(?:\/namespaces\/[^/]+)?\/[a-z]+$/.test(path);

/** A write must not be based on what is no longer so. */
const expectCurrent = (old: Stored, { metadata }: Stored): void => {
  const { resourceVersion, uid } = metadata;
  const isOld = resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion;
  if (isOld || (uid !== undefined && uid !== old.metadata.uid)) refuse(409, 'Conflict', old.metadata.name);
};

/** The server. */
export class ApiServer {
  readonly #parts: ApiServerParts;
  readonly #watches = new Set<HeldWatch>();
  /** Positions before this version are forgotten. */
  #compacted = 0;
  /** Until when the cache is kept behind, and where it stays. */
  #behind: { readonly untilMs: number; readonly version: number } | undefined;
  #silentUntilMs = 0;
  #refusingUntilMs = 0;
  #throttlingUntilMs = 0;
  /** Writes that changed something, by whom. */
  writes = 0;
  requests = 0;

  constructor(parts: ApiServerParts) {
    this.#parts = parts;
    parts.store.watchers.push(() => {
      for (const watch of this.#watches) this.#deliverSoon(watch);
    });
  }

  /** The way in for a process; its end ends what it holds. */
  transport(): KubeTransport {
    const { time } = this.#parts;
    return {
      server,
      send: (request) => this.#ask(request, () => this.#answer(request)),
      stream: (request) => {
        const { life } = time;
        const isWatch = request.query?.['watch'] === 'true';
        // Of a stream its readers use the chunks and `destroy`.
        return this.#ask(
          request,
          () =>
            (isWatch
              ? this.#open(request, life)
              : wholeAnswer(this.#answer(request).body)) as unknown as IncomingMessage,
        );
      },
      close: () => undefined,
    };
  }

  /** Breaks every watch. */
  closeWatches(): void {
    for (const watch of this.#watches) watch.reset();
    this.#watches.clear();
  }

  /** Forgets the past: whoever would go on from there has to list. */
  compact(): void {
    this.#compacted = this.#parts.store.version;
    this.closeWatches();
  }

  keepCacheBehind(seconds: number): void {
    const { time, store } = this.#parts;
    this.#behind = { untilMs: time.now + seconds * 1000, version: store.version };
    time.in(seconds * 1000 + 1, () => this.#deliverAll(), undefined);
  }

  keepSilent(seconds: number): void {
    const { time } = this.#parts;
    this.#silentUntilMs = time.now + seconds * 1000;
    // What was held back is lost: such a stream is dead, and does not know it.
    for (const watch of this.#watches) watch.isDead = true;
  }

  refuse(seconds: number): void {
    this.#refusingUntilMs = this.#parts.time.now + seconds * 1000;
  }

  throttle(seconds: number): void {
    this.#throttlingUntilMs = this.#parts.time.now + seconds * 1000;
  }

  /** Its store is as it was; nobody is told. */
  restore(seconds: number): void {
    const { store, calls } = this.#parts;
    const before = store.version;
    const after = store.restore(seconds);
    this.#behind = undefined;
    this.closeWatches();
    calls.note('the API server was restored', `version ${before} → ${after}`);
  }

  /** Up to which version the watch cache is. */
  #cacheVersion(request: string): number {
    const { time, store, dice } = this.#parts;
    if (this.#behind !== undefined && this.#behind.untilMs > time.now) return this.#behind.version;
    const lag = dice.between(`lag ${request} ${time.now}`, 0, usualLagMilliseconds);
    // A version is a change; so many changes fit into the usual lag.
    return Math.max(1, store.version - Math.floor(lag / 10));
  }

  #ask<T>(request: KubeRequest, carryOut: () => T): Promise<T> {
    const { calls, time, dice } = this.#parts;
    const { method, path, query = {}, deadlineSeconds, signal } = request;
    const what = query['watch'] === 'true' ? 'WATCH' : method;
    const selector = query['labelSelector'] === undefined ? '' : `?${query['labelSelector']}`;
    return calls.make({
      port: 'api',
      name: `${what} ${path}${selector}`,
      isWrite: method !== 'GET',
      deadlineSeconds: what === 'WATCH' ? 10 : (deadlineSeconds ?? 10),
      signal,
      carryOut: () => {
        this.requests += 1;
        if (this.#refusingUntilMs > time.now) return refuse(401, 'Unauthorized', path);
        if (this.#throttlingUntilMs > time.now && dice.chance(`throttle ${path} ${time.now}`) < 0.5)
          throw answerError(server, 429, status(429, 'TooManyRequests', path), '1');
        return carryOut();
      },
      failing: (why) => {
        if (why === 'late') return new KubeError('timeout', `${what} ${path}: ${server} did not answer in time`);
        if (why !== 'refused') return new KubeError('unreachable', `${what} ${path}: ${server}: connection reset`);
        const code = dice.oneOf(`code ${path} ${time.now}`, [429, 500, 503, 504]);
        return answerError(server, code, status(code, 'Injected', ''), code === 429 ? '1' : undefined);
      },
    });
  }

  #answer(request: KubeRequest): KubeAnswer {
    const before = this.#parts.store.version;
    const answer = this.#carriedOut(request);
    if (this.#parts.store.version !== before) this.writes += 1;
    return { status: 200, body: typeof answer === 'string' ? answer : JSON.stringify(answer) };
  }

  #carriedOut(request: KubeRequest): unknown {
    const { store, time } = this.#parts;
    const { method, path, body = '{}' } = request;
    const name = decodeURIComponent(path.split('/').at(-1) ?? '');
    if (path.endsWith('/log')) return 'it went wrong\n';
    switch (method) {
      case 'GET':
        return isCollection(path) ? this.#list(request) : this.#get(request, name);
      case 'POST': {
        const wanted = parsed(body);
        const where = `${path}/${wanted.metadata.name}`;
        if (store.find(where) !== undefined) refuse(409, 'AlreadyExists', wanted.metadata.name);
        const { status: _status, ...rest } = wanted;
        return store.add(rest);
      }
      case 'PUT': {
        const ofStatus = path.endsWith('/status');
        const where = ofStatus ? path.slice(0, -'/status'.length) : path;
        const old = store.find(where) ?? refuse(404, 'NotFound', decodeURIComponent(where.split('/').at(-1) ?? ''));
        const wanted = parsed(body);
        expectCurrent(old, wanted);
        const next = ofStatus
          ? { ...old, status: wanted.status }
          : { ...wanted, metadata: keptMetadata(old, wanted), status: old.status };
        return store.change(old, next);
      }
      case 'PATCH': {
        const old = store.find(path) ?? refuse(404, 'NotFound', name);
        const patch = parsed(body) as { readonly metadata?: { readonly uid?: string } };
        if (patch.metadata?.uid !== undefined && patch.metadata.uid !== old.metadata.uid)
          return refuse(422, 'Invalid', name);
        return store.change(old, merged(old, patch) as Stored);
      }
      case 'DELETE': {
        const old = store.find(path) ?? refuse(404, 'NotFound', name);
        const { preconditions } = JSON.parse(body) as { readonly preconditions?: { readonly uid?: string } };
        if (preconditions?.uid !== undefined && preconditions.uid !== old.metadata.uid) refuse(409, 'Conflict', name);
        time.as(undefined, () => store.delete(old));
        return {};
      }
    }
  }

  #get({ path, query = {} }: KubeRequest, name: string): Stored {
    const { store } = this.#parts;
    const asked = query['resourceVersion'];
    if (asked === undefined) return store.find(path) ?? refuse(404, 'NotFound', name);
    const cache = this.#cacheVersion(path);
    // It waits for the cache to come so far; where it does not within seconds, it says so.
    if (Number(asked) > cache && this.#behind !== undefined && this.#behind.untilMs > this.#parts.time.now)
      throw answerError(server, 504, status(504, 'Timeout', ''), undefined);
    if (Number(asked) > store.version) throw answerError(server, 504, status(504, 'Timeout', ''), undefined);
    return store.findAt(path, Math.max(cache, Number(asked))) ?? refuse(404, 'NotFound', name);
  }

  #list(request: KubeRequest): object {
    const { store, time } = this.#parts;
    const { path, query = {}, accept = '' } = request;
    const selects = selectorOf(request);
    const prefix = `${path}/`;
    const isAll = collectionOf(`${path}/x`) === path;
    const asked = query['resourceVersion'];
    const isBehind = this.#behind !== undefined && this.#behind.untilMs > time.now;
    const cache = this.#cacheVersion(path);
    if (asked !== undefined && (Number(asked) > store.version || (isBehind && Number(asked) > cache)))
      throw answerError(server, 504, status(504, 'Timeout', ''), undefined);
    const first = asked === undefined ? store.version : Math.max(cache, Number(asked));
    const [version = String(first), after = ''] = (query['continue'] ?? '').split(' ').filter((part) => part !== '');
    if (Number(version) < this.#compacted && after !== '')
      throw answerError(server, 410, status(410, 'Expired', ''), undefined);
    const found: Stored[] = [];
    // Of an older version there may have been what has gone since.
    const paths = Number(version) === store.version ? store.paths() : store.pathsSince(Number(version));
    for (const one of paths) {
      if (one <= after || !(isAll ? collectionOf(one) === path : one.startsWith(prefix))) continue;
      const object = store.findAt(one, Number(version));
      if (object !== undefined && selects(object)) found.push(object);
    }
    const limit = Number(query['limit'] ?? Number.POSITIVE_INFINITY);
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const next = found.length > limit && last !== undefined ? `${version} ${pathIn(path, last, isAll)}` : undefined;
    return {
      metadata: { resourceVersion: version, ...(next === undefined ? {} : { continue: next }) },
      items: accept.includes('PartialObjectMetadata') ? page.map(onlyMetadata) : page,
    };
  }

  #open(request: KubeRequest, life: HeldWatch['life']): HeldWatch {
    const { time, calls } = this.#parts;
    const { path, query = {} } = request;
    const from = Number(query['resourceVersion']);
    if (from < this.#compacted) throw answerError(server, 410, status(410, 'Expired', ''), undefined);
    const watch = new HeldWatch({ path, from, life, selects: selectorOf(request), signal: request.signal });
    watch.isDead = this.#silentUntilMs > time.now;
    this.#watches.add(watch);
    const stop = (): void => {
      watch.end();
      this.#watches.delete(watch);
    };
    const milliseconds = Number(query['timeoutSeconds'] ?? '300') * 1000;
    time.in(milliseconds, stop, undefined);
    const mark = (): void => {
      const isHeard = !calls.isAway('api') && !watch.isDead && !watch.isClosed;
      if (isHeard) watch.bookmark(Math.min(watch.position, this.#parts.store.version));
    };
    const markEachMinute = (): void => {
      if (watch.isClosed) return;
      mark();
      time.in(bookmarkMilliseconds, markEachMinute, undefined);
    };
    time.in(bookmarkMilliseconds, markEachMinute, undefined);
    time.in(milliseconds - lastWordMilliseconds, mark, undefined);
    this.#deliverSoon(watch);
    return watch;
  }

  #deliverAll(): void {
    for (const watch of this.#watches) this.#deliver(watch);
  }

  #deliverSoon(watch: HeldWatch): void {
    if (watch.isDelivering) return;
    watch.isDelivering = true;
    const { time, dice } = this.#parts;
    const milliseconds = dice.between(`deliver ${watch.path} ${time.now}`, 1, 30);
    time.in(
      milliseconds,
      () => {
        watch.isDelivering = false;
        this.#deliver(watch);
      },
      undefined,
    );
  }

  #deliver(watch: HeldWatch): void {
    const { time, store } = this.#parts;
    if (watch.isClosed || watch.isDead) return;
    const until = this.#behind !== undefined && this.#behind.untilMs > time.now ? this.#behind.version : store.version;
    const events = store.eventsAfter(watch.position).filter(({ version }) => version <= until);
    time.as(watch.life, () => watch.deliver(events, onlyMetadata));
    // A position ahead of the store's (it was restored) hears nothing until that is as far.
    if (until > watch.position) watch.position = until;
  }
}

/** An answer that comes in one piece. */
const wholeAnswer = (body: string): AsyncIterable<Uint8Array> & { destroy(): void } => ({
  async *[Symbol.asyncIterator]() {
    yield Buffer.from(body);
  },
  destroy: () => undefined,
});

/** What a PUT may not change. */
const keptMetadata = ({ metadata: old }: Stored, { metadata }: Stored): Stored['metadata'] => ({
  ...metadata,
  uid: old.uid,
  creationTimestamp: old.creationTimestamp,
  generation: old.generation,
  ...(old.deletionTimestamp === undefined ? {} : { deletionTimestamp: old.deletionTimestamp }),
});

const pathIn = (collection: string, { metadata }: Stored, isAll: boolean): string => {
  if (!isAll || metadata.namespace === undefined) return `${collection}/${metadata.name}`;
  const slash = collection.lastIndexOf('/');
  return `${collection.slice(0, slash)}/namespaces/${metadata.namespace}${collection.slice(slash)}/${metadata.name}`;
};
