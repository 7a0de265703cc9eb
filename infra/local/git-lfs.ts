/** Git LFS as far as fetching needs it: the batch API and the objects, which lie in folder `lfs` of their bare repository. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { repositoryPath } from './git-repository.ts';

interface LfsObject {
  readonly oid: string;
  readonly size: number;
}

const objectPath = (repository: string, oid: string): string => join(repository, 'lfs', oid);

/** Keeps `content` beside the repository and gives the pointer that is committed instead. */
export const keepLarge = (gitRoot: string, repository: string, content: string): string => {
  const oid = createHash('sha256').update(content).digest('hex');
  const path = objectPath(join(gitRoot, `${repository}.git`), oid);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${Buffer.byteLength(content)}\n`;
};

const batch = async (request: IncomingMessage, base: string, repository: string): Promise<string> => {
  const { objects } = JSON.parse(await text(request)) as { readonly objects: readonly LfsObject[] };
  const answers = objects.map(({ oid, size }) =>
    /^[0-9a-f]{64}$/.test(oid) && existsSync(objectPath(repository, oid))
      ? { oid, size, actions: { download: { href: `${base}/lfs/${oid}` } } }
      : { oid, size, error: { code: 404, message: 'there is no such object' } },
  );
  return JSON.stringify({ transfer: 'basic', objects: answers });
};

/** Answers what is asked of LFS below a repository; false for all other requests. */
export const answerLfs = (request: IncomingMessage, response: ServerResponse, root: string): boolean => {
  const asked = /^(?<path>[^?]*)\/(?:info\/lfs\/objects\/batch|lfs\/(?<oid>[0-9a-f]{64}))$/.exec(request.url ?? '');
  const { path = '', oid } = asked?.groups ?? {};
  const decoded = asked === null ? undefined : repositoryPath(path);
  if (decoded === undefined) return false;
  const repository = join(root, decoded);
  if (oid === undefined) {
    batch(request, `http://${request.headers.host ?? ''}${path}`, repository).then(
      (body) => response.writeHead(200, { 'content-type': 'application/vnd.git-lfs+json' }).end(body),
      () => response.writeHead(400).end(),
    );
  } else if (existsSync(objectPath(repository, oid))) response.end(readFileSync(objectPath(repository, oid)));
  else response.writeHead(404).end();
  return true;
};
