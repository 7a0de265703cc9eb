/**
 * A git host with LFS (git-lfs docs/api/batch.md) for tests, as strict as GitLab and GitHub Enterprise are: a request with two Authorization headers
 * is answered 400. Objects are handed out to whoever shows what the batch gave them. Known limits: downloads alone, everything in memory.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type GitHttpOptions, type GitHttpServer, startGitHttpServer } from './git-http-server.ts';

/** The text that a repository holds in place of the content (git-lfs docs/spec.md). */
export const lfsPointer = (content: string): string =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${oidOf(content)}\nsize ${Buffer.byteLength(content)}\n`;

/** By which LFS knows a content. */
export const oidOf = (content: string): string => createHash('sha256').update(content).digest('hex');

const token = 'Bearer one-object';

const loginsOf = ({ rawHeaders }: IncomingMessage): readonly string[] =>
  rawHeaders.flatMap((name, index) =>
    index % 2 === 0 && name.toLowerCase() === 'authorization' ? [rawHeaders[index + 1] ?? ''] : [],
  );

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
};

/** The server; `login` is what batches are asked with, and repositories too. */
export const startLfsHost = async (
  options: GitHttpOptions & { readonly contents: readonly string[] },
): Promise<GitHttpServer> => {
  const { username = '', password = '' } = options.login ?? {};
  const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const contents = new Map(options.contents.map((content) => [oidOf(content), content]));
  const batch = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { objects } = JSON.parse(await bodyOf(request)) as { objects: { oid: string; size: number }[] };
    const href = (oid: string): string => `http://${request.headers.host ?? ''}/objects/${oid}`;
    const answer = objects.map(({ oid, size }) => ({
      oid,
      size,
      authenticated: true,
      actions: { download: { href: href(oid), header: { Authorization: token } } },
    }));
    response
      .writeHead(200, { 'content-type': 'application/vnd.git-lfs+json' })
      .end(JSON.stringify({ transfer: 'basic', objects: answer }));
  };
  const respond = (request: IncomingMessage, response: ServerResponse): boolean => {
    const path = request.url ?? '';
    const logins = loginsOf(request);
    if (logins.length > 1) {
      response.writeHead(400).end();
      return true;
    }
    if (path.startsWith('/objects/')) {
      const content = contents.get(path.slice('/objects/'.length));
      if (logins[0] === token && content !== undefined) response.writeHead(200).end(content);
      else response.writeHead(400).end();
      return true;
    }
    if (options.respond?.(request, response) === true) return true;
    if (!path.endsWith('/info/lfs/objects/batch')) return false;
    if (options.login !== undefined && logins[0] !== basic)
      response.writeHead(401, { 'www-authenticate': 'Basic realm="lfs"' }).end();
    else batch(request, response).catch((error: unknown) => response.destroy(error as Error));
    return true;
  };
  return await startGitHttpServer({ ...options, respond });
};
