/**
 * A registry on loopback that keeps everything in memory: the distribution API with open, basic and token access, and faults on demand.
 * Limits, on purpose: no referrers API, no schema 1, no ranges but `bytes=N-`, no garbage collection; manifests are stored unparsed, so pushing one
 * before its blobs is accepted. The contract suite (test/contract/oci) runs over it and over the CNCF registry alike.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Access, accessControl } from './fake-registry-access.ts';
import { type Answer, answerOf } from './fake-registry-api.ts';
import { type Fault, faultInjector } from './fake-registry-faults.ts';
import { createStore, type FakeStore } from './fake-registry-store.ts';

export interface FakeRegistryOptions {
  /** Who may do what; everybody everything unless given. */
  readonly auth?: Access | undefined;
  /** Faults from the start; more by `addFault`. */
  readonly faults?: readonly Fault[] | undefined;
  /** False: mounts are answered with an upload session. */
  readonly mounts?: boolean | undefined;
  /** Longest request body; a longer one is answered 413. */
  readonly maxRequestBytes?: number | undefined;
  /** Tags on a page unless the client asks for fewer. */
  readonly pageSize?: number | undefined;
  /** Clock for token lives, Unix ms. */
  readonly now?: (() => number) | undefined;
}

/** One request as it came and what it was answered. */
interface LoggedRequest {
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  readonly authorization: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly status: number;
  /** Bytes of body received. */
  readonly bodyBytes: number;
}

export interface FakeRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** In order of answer. */
  readonly requests: readonly LoggedRequest[];
  readonly store: FakeStore;
  readonly addFault: (fault: Fault) => void;
  /** Every token given out so far is refused from now on. */
  readonly expireTokens: () => void;
  readonly clearRequests: () => void;
  readonly close: () => Promise<void>;
}

const readBody = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

const write = (response: ServerResponse, { status, headers, body }: Answer, head: boolean): void => {
  const bytes = body ?? Buffer.alloc(0);
  response.writeHead(status, { 'content-length': String(bytes.byteLength), ...headers });
  response.end(head ? undefined : bytes);
};

/** Starts one on a free port of 127.0.0.1. */
export const startFakeRegistry = async ({
  auth,
  faults = [],
  mounts = true,
  maxRequestBytes = Number.POSITIVE_INFINITY,
  pageSize = 100,
  now = Date.now,
}: FakeRegistryOptions = {}): Promise<FakeRegistry> => {
  const store = createStore();
  const injector = faultInjector(faults);
  const requests: LoggedRequest[] = [];
  const access = accessControl(auth, now);

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', `http://${request.headers.host ?? 'localhost'}`);
    const { method = 'GET' } = request;
    const log = (status: number, bodyBytes: number): void => {
      const { headers } = request;
      requests.push({
        method,
        path: url.pathname + url.search,
        authorization: headers.authorization,
        headers,
        status,
        bodyBytes,
      });
    };
    const fault = injector.faultFor(method, url);
    if (fault !== undefined && (await injector.before(fault, request, response, log))) return;
    if (fault?.kind === 'expire-tokens') access.expire();
    const denied = access.check(request, url);
    if (denied !== undefined) {
      request.resume();
      log(denied.status, 0);
      write(response, denied, method === 'HEAD');
      return;
    }
    if (Number(request.headers['content-length'] ?? 0) > maxRequestBytes) {
      request.resume();
      await once(request, 'end');
      log(413, 0);
      write(response, { status: 413 }, false);
      return;
    }
    const body = await readBody(request);
    const answer =
      access.token(request, url, body) ?? answerOf({ store, method, url, request, body, mounts, pageSize });
    log(answer.status, body.byteLength);
    if (fault !== undefined && (await injector.after(fault, answer, response))) return;
    write(response, answer, method === 'HEAD');
  };

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    host: `127.0.0.1:${port}`,
    requests,
    store,
    addFault: injector.add,
    expireTokens: access.expire,
    clearRequests: () => {
      requests.length = 0;
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
};
