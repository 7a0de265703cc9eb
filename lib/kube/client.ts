/** Typed reads and writes of one cluster's API. Every write carries the resourceVersion it was computed from, or is a POST. */
import { kinds } from '../api/kinds.ts';
import { PermanentError } from '../errors/expected.ts';
import type { RegistryGrant } from '../state/clusters.ts';
import { type Asked, jsonIn, listIn, objectIn, tokenIn } from './answers.ts';
import { isKubeError, KubeError } from './errors.ts';
import type { JustWritten } from './just-written.ts';
import { endOfLog, type LogExcerpt } from './log-end.ts';
import { type KubeObject, keyOf, type ObjectKey, showKey } from './object.ts';
import { collectionPath, foreignPath, objectPath, resourceOf } from './resources.ts';
import type { KubeRequest, KubeTransport } from './transport.ts';

/** What to list: one namespace or, when it is empty, all. */
export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** One cluster's API as reconcilers see it. All calls throw KubeError (expected) or PermanentError (what we sent is invalid). */
export interface KubeClient {
  /** Which cluster it is, as it was registered; what is kept for one must not serve another. */
  readonly cluster?: string | undefined;
  /** What the cluster's registration lets its objects do in registries; nothing unless given. */
  readonly grants?: readonly RegistryGrant[] | undefined;
  /** The object, or undefined when the server's 404 names it. A 404 for the kind is thrown: it may be a restart (DESIGN §3.10). */
  get<T extends KubeObject>(key: ObjectKey): Promise<T | undefined>;
  /** As `get`, of a kind that our table does not know, by its apiVersion and plural; undefined also when the kind is not served. */
  getForeign(apiVersion: string, plural: string, namespace: string, name: string): Promise<unknown>;
  /**
   * All objects, consistent with everything written before; a list that expires between pages is begun again. By label it is asked for whole:
   * API servers of 1.31 to 1.33 answer what is asked for in pages from their store, and read every object of the kind for it; whole, they answer
   * from memory (`shouldDelegateList` of apiserver). An older state (`resourceVersion=0`) is never asked for: who lists decides what to make, and
   * would decide on what was.
   */
  list<T extends KubeObject>(kind: string, options?: ListOptions): Promise<readonly T[]>;
  /** POST. @throws KubeError `already-exists` */
  create<T extends KubeObject>(object: T): Promise<T>;
  /** PUT with the object's own resourceVersion. @throws KubeError `conflict` */
  replace<T extends KubeObject>(object: T): Promise<T>;
  /** PUT of the status subresource with the object's own resourceVersion. @throws KubeError `conflict` */
  replaceStatus<T extends KubeObject>(object: T): Promise<T>;
  /** JSON merge patch (RFC 7386). */
  patch<T extends KubeObject>(key: ObjectKey, patch: object): Promise<T>;
  /** Server-side apply as field manager `kpackless`: only for objects of which we own every field (DESIGN §3.9). */
  apply<T extends KubeObject>(object: T): Promise<T>;
  /** Deletes this very object: its uid is the precondition. Already gone is success. */
  delete(object: KubeObject): Promise<void>;
  /** A token of a ServiceAccount for somebody outside the cluster (TokenRequest). Whoever has it is that account there. */
  token(account: Omit<ObjectKey, 'kind'>, audience: string, seconds: number): Promise<string>;
  /** The last lines of a container's log, at most 64 KiB. */
  logTail(pod: ObjectKey, container: string, lines: number): Promise<string>;
  /** The end of a container's log, at most `limit` bytes. All of the log is read, within `seconds`. */
  logEnd(pod: ObjectKey, container: string, limit: number, seconds: number): Promise<LogExcerpt>;
}

const pageSize = 500;
/** 200 pages of 500: above this a list is not something one pass may hold in memory. */
const maxPages = 200;

const withKind = <T extends KubeObject>(object: T, kind: string): T => ({
  ...object,
  apiVersion: resourceOf(kind).apiVersion,
  kind,
});

/** The version that reading an object by name may be as old as; undefined: as it is now. */
export type NotOlderThan = (key: ObjectKey) => string | undefined;

/** How reads and writes are made; each may be left out. */
export interface ClientOptions {
  /** When the time of who asks is over, in milliseconds since 1970. */
  readonly until?: number | undefined;
  /** Reads by name of what a version is known of are answered from the API server's watch cache. */
  readonly notOlderThan?: NotOlderThan | undefined;
  /** And not at all where that version was written here moments ago. */
  readonly justWritten?: JustWritten | undefined;
}

/** A client on `transport`; `signal` aborts all its calls when the pass's budget is spent. */
export const kubeClient = (
  transport: KubeTransport,
  signal?: AbortSignal,
  { until, notOlderThan = () => undefined, justWritten }: ClientOptions = {},
): KubeClient => {
  const { server } = transport;
  const whole = ({ method, path }: KubeRequest): Asked => ({ what: `${method} ${path}`, server });

  /** The body of the answer to a request. */
  const send = async (request: KubeRequest): Promise<string> =>
    (await transport.send({ ...request, signal, until })).body;

  /** A request that is answered with the object `key`. */
  const sendFor = async <T extends KubeObject>(key: ObjectKey, request: KubeRequest): Promise<T> =>
    objectIn(await send(request), key, whole(request)) as T;

  /** A write of `key` by `request`; of kinds that have passes, what it came to is kept for them. */
  const sendKept = <T extends KubeObject>(key: ObjectKey, request: KubeRequest & { readonly body: string }) => {
    const writing = sendFor<T>(key, request);
    if (justWritten === undefined || !(key.kind in kinds)) return writing;
    const kept = writing.then((object) => withKind(object, key.kind));
    return justWritten.keep(key, request.body.length, kept);
  };

  const write = <T extends KubeObject>(
    method: 'PUT' | 'PATCH',
    object: T,
    rest: Partial<KubeRequest>,
    sub = '',
  ): Promise<T> => {
    const key = keyOf(object);
    const path = `${objectPath(key.kind, key.namespace, key.name)}${sub}`;
    return sendKept<T>(key, { method, path, body: JSON.stringify(object), ...rest });
  };

  const listPages = async <T extends KubeObject>(kind: string, options: ListOptions): Promise<readonly T[]> => {
    const items: T[] = [];
    let next: string | undefined;
    for (let page = 0; page < maxPages; page += 1) {
      const request = {
        method: 'GET',
        path: collectionPath(kind, options.namespace),
        query: {
          limit: options.labelSelector === undefined ? String(pageSize) : undefined,
          continue: next,
          labelSelector: options.labelSelector,
          fieldSelector: options.fieldSelector,
        },
      } as const;
      const answer = listIn<T>(await send(request), kind, whole(request));
      for (const item of answer.items) items.push(withKind(item, kind));
      ({ next } = answer);
      if (next === '') return items;
    }
    throw new PermanentError('TooManyObjects', `there are more than ${maxPages * pageSize} objects of kind ${kind}`);
  };

  /**
   * Absence is the store's word alone: an event of one that was deleted tells a version, at which a cache may know nothing yet of another of its
   * name that was made since. A cache that does not come so far within seconds says so with 504; then the store is asked, too.
   */
  const getByName = async <T extends KubeObject>(key: ObjectKey, resourceVersion: string | undefined): Promise<T> => {
    const path = objectPath(key.kind, key.namespace, key.name);
    if (resourceVersion === undefined) return sendFor<T>(key, { method: 'GET', path });
    try {
      return await sendFor<T>(key, { method: 'GET', path, query: { resourceVersion } });
    } catch (error) {
      if (!(error instanceof KubeError) || (error.status !== 504 && error.code !== 'not-found')) throw error;
      return sendFor<T>(key, { method: 'GET', path });
    }
  };

  return {
    get: async <T extends KubeObject>(key: ObjectKey) => {
      const version = notOlderThan(key);
      const written = version === undefined ? undefined : await justWritten?.take(key, version);
      if (written !== undefined) return written as T;
      try {
        return await getByName<T>(key, version);
      } catch (error) {
        if (isKubeError(error, 'not-found') && error.objectName === key.name) return undefined;
        throw error;
      }
    },
    getForeign: async (apiVersion, plural, namespace, name) => {
      try {
        const request = { method: 'GET', path: foreignPath(apiVersion, plural, namespace, name) } as const;
        return jsonIn(await send(request), whole(request));
      } catch (error) {
        if (isKubeError(error, 'not-found')) return undefined;
        throw error;
      }
    },
    list: async (kind, options = {}) => {
      try {
        return await listPages(kind, options);
      } catch (error) {
        if (isKubeError(error, 'expired')) return listPages(kind, options);
        throw error;
      }
    },
    create: (object) => {
      const key = keyOf(object);
      const path = collectionPath(key.kind, key.namespace);
      return sendKept(key, { method: 'POST', path, body: JSON.stringify(object) });
    },
    replace: (object) => write('PUT', object, {}),
    replaceStatus: (object) => write('PUT', object, {}, '/status'),
    patch: (key, patch) =>
      sendFor(key, {
        method: 'PATCH',
        path: objectPath(key.kind, key.namespace, key.name),
        body: JSON.stringify(patch),
        contentType: 'application/merge-patch+json',
      }),
    apply: (object) =>
      write('PATCH', object, {
        contentType: 'application/apply-patch+yaml',
        query: { fieldManager: 'kpackless', force: 'true' },
      }),
    delete: async (object) => {
      const key = keyOf(object);
      const uid = object.metadata?.uid;
      if (uid === undefined) throw new Error(`refusing to delete ${showKey(key)} without its uid`);
      try {
        await transport.send({
          method: 'DELETE',
          path: objectPath(key.kind, key.namespace, key.name),
          body: JSON.stringify({ preconditions: { uid }, propagationPolicy: 'Background' }),
          signal,
          until,
        });
      } catch (error) {
        if (error instanceof KubeError && (error.code === 'not-found' || error.code === 'conflict')) return;
        throw error;
      }
    },
    token: async ({ namespace, name }, audience, seconds) => {
      const path = `${objectPath('ServiceAccount', namespace, name)}/token`;
      const request = {
        method: 'POST',
        path,
        body: JSON.stringify({
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          spec: { audiences: [audience], expirationSeconds: seconds },
        }),
      } as const;
      return tokenIn(await send(request), whole(request));
    },
    logTail: async (pod, container, lines) => {
      const { body } = await transport.send({
        method: 'GET',
        path: `${objectPath('Pod', pod.namespace, pod.name)}/log`,
        query: { container, tailLines: String(lines), limitBytes: '65536' },
        accept: '*/*',
        signal,
        until,
      });
      return body;
    },
    logEnd: async (pod, container, limit, seconds) => {
      const path = `${objectPath('Pod', pod.namespace, pod.name)}/log`;
      const request = { method: 'GET', path, query: { container }, accept: '*/*', deadlineSeconds: seconds } as const;
      const log = await transport.stream({ ...request, signal, until });
      try {
        return await endOfLog(log, limit);
      } catch (cause) {
        throw new KubeError('unreachable', `GET ${path}: ${transport.server} did not hand out the whole log`, {
          cause,
        });
      } finally {
        log.destroy();
      }
    },
  };
};
