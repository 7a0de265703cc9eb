/**
 * Serves the bare repositories of a folder over smart http with git's own CGI program, for clusters and tests. Runs as a program of
 * its own so that it can live in a network namespace: `node infra/local/git-server.ts --root <dir> --listen <address>:<port>`. What LFS
 * keeps is handed out too (git-lfs.ts). With `--credentials <file>` (one `user:password` line) every request needs basic auth; the file keeps them off the command line.
 */
import { spawn } from 'node:child_process';
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import { answerLfs } from './git-lfs.ts';
import { repositoryPath } from './git-repository.ts';

export interface GitServerOptions {
  /** Folder of bare repositories; `/a/b.git` of a URL is `<root>/a/b.git`. */
  readonly root: string;
  /** `user:password`; everybody may read and push when absent. */
  readonly credentials?: string | undefined;
  /** Drops what git says on its standard error, which otherwise joins ours. */
  readonly quiet?: boolean;
  /** Called for each request: method and path with query. */
  readonly onRequest?: ((line: string) => void) | undefined;
}

/** One git operation may not take longer; a hanging client is cut off. */
const OPERATION_DEADLINE_MS = 5 * 60_000;

/** A server that is not listening yet. */
export const gitServer = (options: GitServerOptions): Server =>
  createServer((request, response) => {
    options.onRequest?.(`${request.method ?? ''} ${request.url ?? ''}`);
    if (options.credentials !== undefined && !isAllowed(request.headers.authorization, options.credentials)) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end('authentication is needed\n');
      return;
    }
    if (!answerLfs(request, response, options.root)) serve(request, response, options);
  });

const serve = (request: IncomingMessage, response: ServerResponse, { root, quiet = false }: GitServerOptions): void => {
  const url = new URL(request.url ?? '/', 'http://git');
  const path = repositoryPath(url.pathname);
  if (path === undefined) {
    response.writeHead(404).end();
    return;
  }
  const backend = spawn('git', ['http-backend'], {
    env: cgiEnvironment(request, { path, query: url.search.slice(1), root }),
    stdio: ['pipe', 'pipe', quiet ? 'ignore' : 'inherit'],
    timeout: OPERATION_DEADLINE_MS,
  });
  backend.stdin.on('error', () => {}); // it may end before it has read the whole body
  request.pipe(backend.stdin);
  response.once('close', () => backend.kill());

  let head: Buffer | undefined = Buffer.alloc(0);
  backend.stdout.on('data', (chunk: Buffer) => {
    if (head === undefined) {
      if (!response.write(chunk)) {
        backend.stdout.pause();
        response.once('drain', () => backend.stdout.resume());
      }
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end === -1) return;
    const { status, headers } = cgiHead(head.subarray(0, end).toString('latin1'));
    response.writeHead(status, headers);
    response.write(head.subarray(end + 4));
    head = undefined;
  });
  backend.once('error', () => response.destroy());
  backend.stdout.once('end', () => {
    if (head !== undefined && !response.headersSent) response.writeHead(500);
    response.end();
  });
};

/** What RFC 3875 and git-http-backend(1) ask for. */
const cgiEnvironment = (
  request: IncomingMessage,
  { path, query, root }: { readonly path: string; readonly query: string; readonly root: string },
): Record<string, string> => {
  const header = (name: string): string => String(request.headers[name] ?? '');
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: '1',
    GIT_CONFIG_COUNT: '4',
    GIT_CONFIG_KEY_0: 'safe.directory',
    GIT_CONFIG_VALUE_0: '*',
    GIT_CONFIG_KEY_1: 'http.receivepack',
    GIT_CONFIG_VALUE_1: 'true',
    GIT_CONFIG_KEY_2: 'uploadpack.allowAnySHA1InWant',
    GIT_CONFIG_VALUE_2: 'true',
    GIT_CONFIG_KEY_3: 'uploadpack.allowFilter',
    GIT_CONFIG_VALUE_3: 'true',
    REQUEST_METHOD: request.method ?? 'GET',
    PATH_INFO: path,
    QUERY_STRING: query,
    CONTENT_TYPE: header('content-type'),
    REMOTE_ADDR: request.socket.remoteAddress ?? '',
    REMOTE_USER: 'git',
    ...(header('content-length') === '' ? {} : { CONTENT_LENGTH: header('content-length') }),
    ...(header('content-encoding') === '' ? {} : { HTTP_CONTENT_ENCODING: header('content-encoding') }),
    ...(header('git-protocol') === '' ? {} : { GIT_PROTOCOL: header('git-protocol') }),
  };
};

/** The head of a CGI answer: `Status: 404 Not Found` and plain headers; 200 when it names no status. */
export const cgiHead = (text: string): { readonly status: number; readonly headers: Record<string, string> } => {
  const headers: Record<string, string> = {};
  let status = 200;
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'status') status = Number.parseInt(value, 10);
    else if (colon > 0) headers[name] = value;
  }
  return { status, headers };
};

const isAllowed = (authorization: string | undefined, credentials: string): boolean => {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const expected = `Basic ${Buffer.from(credentials).toString('base64')}`;
  return timingSafeEqual(digest(authorization ?? ''), digest(expected));
};

if (import.meta.main) {
  const { values } = parseArgs({
    options: { root: { type: 'string' }, listen: { type: 'string' }, credentials: { type: 'string' } },
  });
  const [host, port] = (values.listen ?? '127.0.0.1:0').split(':');
  const credentials = values.credentials === undefined ? undefined : readFileSync(values.credentials, 'utf8').trim();
  gitServer({ root: values.root ?? '.', credentials }).listen(Number(port), host);
}
