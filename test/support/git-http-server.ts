/**
 * A real git host over http for tests: `git http-backend` behind a small CGI server on loopback. Known limits: no TLS, no ranges,
 * whole request bodies in memory, one Basic login for everything. Misbehaviour is asked for with `respond`.
 */
import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export interface GitHttpServer extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, without a closing slash. */
  readonly url: string;
  readonly host: string;
  /** Requests seen so far, oldest first. */
  readonly requests: readonly { readonly method: string; readonly url: string; readonly authorization?: string }[];
}

export interface GitHttpOptions {
  /** Directory whose bare repositories are served. */
  readonly root: string;
  /** When set, every request needs it. */
  readonly login?: { readonly username: string; readonly password: string };
  /** Answers in place of git and returns true, or returns false to let git answer. */
  readonly respond?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** False hides the client's wish for protocol version 2, as an old host would. */
  readonly speaksVersion2?: boolean;
}

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
};

const environmentFor = (request: IncomingMessage, options: GitHttpOptions): Record<string, string> => {
  const [path = '/', query = ''] = (request.url ?? '/').split('?');
  const protocol = request.headers['git-protocol'];
  return {
    PATH: process.env['PATH'] ?? '',
    GIT_PROJECT_ROOT: options.root,
    GIT_HTTP_EXPORT_ALL: '1',
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'safe.directory',
    GIT_CONFIG_VALUE_0: '*',
    PATH_INFO: decodeURIComponent(path),
    QUERY_STRING: query,
    REQUEST_METHOD: request.method ?? 'GET',
    CONTENT_TYPE: request.headers['content-type'] ?? '',
    REMOTE_ADDR: '127.0.0.1',
    ...(options.speaksVersion2 === false || typeof protocol !== 'string' ? {} : { GIT_PROTOCOL: protocol }),
  };
};

/** Splits a CGI answer into status, headers and body. */
const answer = (output: Buffer, response: ServerResponse): void => {
  const end = output.indexOf('\r\n\r\n');
  let status = 200;
  for (const line of output.toString('latin1', 0, Math.max(end, 0)).split('\r\n')) {
    const at = line.indexOf(':');
    const [name, value] = [line.slice(0, at), line.slice(at + 1).trim()];
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
    else if (at > 0) response.setHeader(name, value);
  }
  response.writeHead(end < 0 ? 500 : status).end(output.subarray(end + 4));
};

const runBackend = async (
  request: IncomingMessage,
  response: ServerResponse,
  options: GitHttpOptions,
): Promise<void> => {
  const body = await bodyOf(request);
  const child = spawn('git', ['http-backend'], {
    env: environmentFor(request, options),
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stdin.on('error', () => {
    // The backend may exit without reading the body; its answer still counts.
  });
  child.stdin.end(body);
  child.on('close', () => answer(Buffer.concat(chunks), response));
};

const isLoggedIn = ({ headers }: IncomingMessage, { login }: GitHttpOptions): boolean =>
  login === undefined ||
  headers.authorization === `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;

/** Starts serving on a free port of 127.0.0.1; stop it with `await using` or by its async dispose. */
export const startGitHttpServer = async (options: GitHttpOptions): Promise<GitHttpServer> => {
  const requests: GitHttpServer['requests'][number][] = [];
  const server = createServer((request, response) => {
    const { authorization } = request.headers;
    requests.push({
      method: request.method ?? '',
      url: request.url ?? '',
      ...(authorization === undefined ? {} : { authorization }),
    });
    if (options.respond?.(request, response) === true) return;
    if (!isLoggedIn(request, options)) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    runBackend(request, response, options).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the git http server has no port');
  const host = `127.0.0.1:${address.port}`;
  return {
    url: `http://${host}`,
    host,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
