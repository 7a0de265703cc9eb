/**
 * An API server in memory, below `kubeClient`: JSON in, JSON out, with the real one's Status bodies.
 * Does: get, list, create, replace, status, merge patch, delete; uid, resourceVersion, generation; 404 naming the object, 409 for an
 * existing name and for an old resourceVersion; logs that a test puts there; answers that a test makes fail; tokens of ServiceAccounts, which say
 * whose they are and what for: `namespace/name for AUDIENCE`.
 * Does not: schemas, defaults, admission, owners' garbage collection, watch, pages, selectors beyond one `key=value`, apply.
 */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { type KubeClient, kubeClient } from '../../lib/kube/client.ts';
import { answerError, KubeError } from '../../lib/kube/errors.ts';
import type { KubeObject } from '../../lib/kube/object.ts';
import type { KubeAnswer, KubeRequest, KubeTransport } from '../../lib/kube/transport.ts';

/** An object as the cluster keeps it. */
export interface Stored extends Record<string, unknown> {
  readonly kind?: string;
  readonly metadata: Record<string, unknown> & { readonly name: string; readonly namespace?: string };
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** A request as tests look at it. */
interface Seen {
  readonly method: string;
  readonly path: string;
}

/** A cluster that tests fill and look into. */
export interface FakeCluster {
  readonly kube: KubeClient;
  /** What `kube` speaks through. */
  readonly transport: KubeTransport;
  /** Every request in order. */
  readonly requests: readonly Seen[];
  /** Requests that are not reads. */
  writes(): readonly Seen[];
  /** Puts an object there as it is, with what the server would add. */
  put(collection: string, object: KubeObject): void;
  /** The object at a path such as `/api/v1/namespaces/ns/pods/p`; an error when there is none. */
  at(path: string): Stored;
  has(path: string): boolean;
  /** Takes the object away. */
  remove(path: string): void;
  /** What the log of a container says, at `<pod path>/log?container`. */
  setLog(podPath: string, container: string, text: string): void;
  /** The request with this number, counted from now and from 0, is lost: not carried out, or carried out with its answer lost. */
  lose(number: number, what: 'request' | 'answer'): void;
  /** The next request of that method whose path contains `path` gets this answer instead. */
  failNext(method: string, path: string, status: number, body?: object): void;
}

interface Failure {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly body: object;
}

const parsed = (json: string | undefined): Stored => JSON.parse(json ?? '{}') as Stored;
const copy = (object: object): Stored => parsed(JSON.stringify(object));

const merged = (target: unknown, patch: unknown): unknown => {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const base = typeof target === 'object' && target !== null && !Array.isArray(target) ? target : {};
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(patch))
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  return result;
};

const status = (code: number, reason: string, name: string): object => ({
  kind: 'Status',
  status: 'Failure',
  code,
  reason,
  message: `${name}: ${reason}`,
  details: { name },
});

/** An empty cluster. */
export const fakeCluster = (): FakeCluster => {
  const objects = new Map<string, Stored>();
  const logs = new Map<string, string>();
  const requests: Seen[] = [];
  const failures: Failure[] = [];
  let lost: { readonly at: number; readonly what: 'request' | 'answer' } | undefined;
  let version = 0;

  const refuse = (code: number, reason: string, name: string): never => {
    throw answerError('fake', code, JSON.stringify(status(code, reason, name)), undefined);
  };
  const nameIn = (path: string): string => decodeURIComponent(path.split('/').at(-1) ?? '');
  const found = (path: string): Stored => objects.get(path) ?? refuse(404, 'NotFound', nameIn(path));
  const store = (path: string, object: Stored): Stored => {
    version += 1;
    const kept: Stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    objects.set(path, copy(kept));
    return kept;
  };

  const created = (collection: string, object: Stored): Stored => {
    const path = `${collection}/${encodeURIComponent(object.metadata.name)}`;
    if (objects.has(path)) refuse(409, 'AlreadyExists', object.metadata.name);
    const meta = { uid: `uid-${version + 1}`, generation: 1, creationTimestamp: '2026-11-21T08:00:00Z' };
    return store(path, { ...object, metadata: { ...meta, ...object.metadata } });
  };

  const replaced = (path: string, object: Stored): Stored => {
    const subresource = path.endsWith('/status');
    const key = subresource ? path.slice(0, -'/status'.length) : path;
    const old = found(key);
    const wanted = object.metadata['resourceVersion'];
    if (wanted !== undefined && wanted !== old.metadata['resourceVersion']) refuse(409, 'Conflict', nameIn(key));
    return store(key, subresource ? { ...old, status: object.status } : { ...object, status: old.status });
  };

  const answer = (request: KubeRequest): unknown => {
    const { method, path } = request;
    if (method === 'POST' && path.endsWith('/token')) {
      const { name, namespace = '' } = found(path.slice(0, -'/token'.length)).metadata;
      const { audiences = [] } = parsed(request.body).spec as { readonly audiences?: readonly string[] };
      return { status: { token: `${namespace}/${name} for ${audiences.join(',')}` } };
    }
    if (method === 'POST') return created(path, parsed(request.body));
    if (method === 'PUT') return replaced(path, parsed(request.body));
    if (method === 'PATCH') return store(path, merged(found(path), parsed(request.body)) as Stored);
    if (method === 'DELETE') return objects.delete(path) ? {} : refuse(404, 'NotFound', nameIn(path));
    // Only lists carry a query (their page size).
    if (request.query === undefined) return found(path);
    const [key = '', value = ''] = (request.query?.['labelSelector'] ?? '').split('=');
    const inside = [...objects].filter(([where]) => where.startsWith(`${path}/`)).map(([, object]) => object);
    const labelsOf = (object: Stored) => (object.metadata['labels'] ?? {}) as Record<string, string>;
    return { metadata: {}, items: inside.filter((object) => key === '' || labelsOf(object)[key] === value) };
  };

  const send = (request: KubeRequest): Promise<KubeAnswer> => {
    const isLost = lost?.at === requests.length;
    requests.push({ method: request.method, path: request.path });
    const gone = (): Promise<never> => Promise.reject(new KubeError('unreachable', 'fake: connection reset'));
    if (isLost && lost?.what === 'request') return gone();
    const index = failures.findIndex(({ method, path }) => method === request.method && request.path.includes(path));
    const [failure] = index < 0 ? [] : failures.splice(index, 1);
    if (failure !== undefined)
      return Promise.reject(answerError('fake', failure.status, JSON.stringify(failure.body), undefined));
    if (request.path.endsWith('/log')) {
      const log = logs.get(`${request.path}?${request.query?.['container'] ?? ''}`);
      if (log !== undefined) return Promise.resolve({ status: 200, body: log });
      return Promise.reject(answerError('fake', 404, '{}', undefined));
    }
    try {
      const body = JSON.stringify(answer(request));
      return isLost ? gone() : Promise.resolve({ status: 200, body });
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  };

  const transport: KubeTransport = {
    server: 'fake:443',
    send,
    stream: async (request) => {
      if (!request.path.endsWith('/log')) throw new Error('the fake cluster has no watch');
      const { body } = await send(request);
      return Readable.from([Buffer.from(body)]) as IncomingMessage;
    },
    close: () => undefined,
  };
  return {
    kube: kubeClient(transport),
    transport,
    requests,
    writes: () => requests.filter(({ method }) => method !== 'GET'),
    put: (collection, object) => {
      const path = `${collection}/${object.metadata?.name ?? ''}`;
      objects.delete(path);
      created(collection, copy(object));
    },
    at: (path) => copy(found(path)),
    has: (path) => objects.has(path),
    remove: (path) => {
      objects.delete(path);
    },
    setLog: (podPath, container, text) => {
      logs.set(`${podPath}/log?${container}`, text);
    },
    lose: (number, what) => {
      lost = { at: requests.length + number, what };
    },
    failNext: (method, path, code, body = status(code, 'Failure', 'fake')) => {
      failures.push({ method, path, status: code, body });
    },
  };
};
