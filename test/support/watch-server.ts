/**
 * The list and watch side of an API server, over real HTTP on loopback: one collection whose events a test writes line by line.
 * Does: lists with limit and continue, tokens that expire, watches that stay open, status codes on demand. Does not: filter, order, check
 * anything, send bookmarks, end watches.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tokenConfig } from '../../lib/kube/kubeconfig.ts';
import { type KubeTransport, kubeTransport } from '../../lib/kube/transport.ts';

/** A watch that a client holds. */
export interface HeldWatch {
  readonly from: string;
  /** Writes an event of an object with that version. */
  event(type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK', version: string, name?: string): void;
  /** Writes any text. */
  raw(text: string): void;
  /** How many bytes the client has not taken yet. */
  readonly waiting: number;
  end(): void;
  /** Breaks the connection. */
  reset(): void;
}

/** Starts it; dispose of it. */
export const watchServer = async () => {
  const state = {
    version: '10',
    /** Which Kubernetes it says it is. */
    minor: '34',
    names: ['a'] as readonly string[],
    pageSize: 500,
    /** Of single objects, where they are not the list's. */
    versions: {} as Readonly<Record<string, string>>,
    /** What is in an annotation of each. */
    annotation: undefined as string | undefined,
    /** So many more requests with a token are answered that it has expired; with a new token for the same place, if it says so. */
    expiring: 0,
    goesOn: true,
    /** What becomes of each watch as soon as it is there. */
    onWatch: (_watch: HeldWatch): void => undefined,
  };
  const lists: string[] = [];
  const watches: HeldWatch[] = [];
  const refusals: { readonly what: 'list' | 'watch'; readonly status: number }[] = [];
  let listens: (() => void)[] = [];

  const metadata = (name: string, version: string) => ({
    name,
    namespace: 'team',
    uid: `uid-${name}`,
    resourceVersion: version,
    ...(state.annotation === undefined ? {} : { annotations: { note: state.annotation } }),
  });
  const json = (response: ServerResponse, status: number, body: object): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const refused = (what: 'list' | 'watch'): number | undefined => {
    const index = refusals.findIndex((refusal) => refusal.what === what);
    return index < 0 ? undefined : refusals.splice(index, 1)[0]?.status;
  };

  const list = (query: URLSearchParams, response: ServerResponse): void => {
    const status = refused('list');
    const limit = Number(query.get('limit'));
    lists.push(limit === 1 ? 'look' : (query.get('continue') ?? 'first'));
    if (status !== undefined) return json(response, status, { kind: 'Status', code: status, message: 'planned' });
    const start = Number.parseInt(query.get('continue') ?? '0', 10);
    if (start > 0 && state.expiring > 0) {
      state.expiring -= 1;
      const token = state.goesOn ? { metadata: { continue: `${start} from now on` } } : {};
      return json(response, 410, { kind: 'Status', code: 410, reason: 'Expired', message: 'too old', ...token });
    }
    const size = Math.min(limit, state.pageSize);
    const items = state.names
      .slice(start, start + size)
      .map((name) => ({ metadata: metadata(name, state.versions[name] ?? state.version) }));
    const rest = start + size < state.names.length ? String(start + size) : undefined;
    const metadataOfList = { resourceVersion: state.version, continue: rest };
    // The list of metadata of an empty collection has `null` for items.
    json(response, 200, { metadata: metadataOfList, items: items.length === 0 ? null : items });
  };

  const watch = (query: URLSearchParams, response: ServerResponse): void => {
    const status = refused('watch');
    if (status !== undefined) return json(response, status, { kind: 'Status', code: status, message: 'planned' });
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const raw = (text: string): void => void response.write(text);
    const held: HeldWatch = {
      from: query.get('resourceVersion') ?? '',
      raw,
      event: (type, version, name = 'a') =>
        raw(`${JSON.stringify({ type, object: { metadata: metadata(name, version) } })}\n`),
      get waiting() {
        return response.writableLength;
      },
      end: () => void response.end(),
      reset: () => void response.destroy(),
    };
    watches.push(held);
    state.onWatch(held);
    for (const listen of listens.splice(0)) listen();
  };

  const server = createServer((request: IncomingMessage, response) => {
    const { pathname, searchParams: query } = new URL(request.url ?? '', 'http://x');
    if (pathname === '/version') json(response, 200, { major: '1', minor: state.minor });
    else if (query.get('watch') === 'true') watch(query, response);
    else list(query, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const url = `http://127.0.0.1:${port}`;
  const transport: KubeTransport = kubeTransport(tokenConfig(url, '', () => Promise.resolve('t')));

  return {
    url,
    state,
    lists,
    watches,
    transport,
    /** The next list or watch gets this status. */
    refuse: (what: 'list' | 'watch', status: number): void => void refusals.push({ what, status }),
    /** The n-th watch, counted from 0, once it is there. */
    watch: async (number: number): Promise<HeldWatch> => {
      for (;;) {
        const held = watches[number];
        if (held !== undefined) return held;
        await new Promise<void>((resolve) => listens.push(resolve));
      }
    },
    [Symbol.asyncDispose]: async (): Promise<void> => {
      listens = [];
      transport.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

export type WatchServer = Awaited<ReturnType<typeof watchServer>>;
