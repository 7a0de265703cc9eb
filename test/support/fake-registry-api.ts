/** The distribution API of the fake registry: one function from request to answer. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type FakeStore, type StoredRepository, sha256 } from './fake-registry-store.ts';

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Buffer | undefined;
}

export interface Question {
  readonly store: FakeStore;
  readonly method: string;
  readonly url: URL;
  readonly request: IncomingMessage;
  readonly body: Buffer;
  readonly mounts: boolean;
  readonly pageSize: number;
}

const failure = (status: number, code: string, message: string): Answer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(JSON.stringify({ errors: [{ code, message }] })),
});

const manifestAnswer = (repository: StoredRepository, identifier: string, question: Question): Answer => {
  const { method, request, body } = question;
  const digest = identifier.includes(':') ? identifier : repository.tags.get(identifier);
  if (method === 'PUT') {
    const actual = sha256(body);
    if (identifier.includes(':') && identifier !== actual)
      return failure(400, 'DIGEST_INVALID', 'digest does not match content');
    repository.manifests.set(actual, { mediaType: request.headers['content-type'] ?? '', bytes: body });
    if (!identifier.includes(':')) repository.tags.set(identifier, actual);
    return { status: 201, headers: { 'docker-content-digest': actual, location: `/v2/x/manifests/${actual}` } };
  }
  const found = digest === undefined ? undefined : repository.manifests.get(digest);
  if (digest === undefined || found === undefined) return failure(404, 'MANIFEST_UNKNOWN', 'manifest unknown');
  if (method === 'DELETE') {
    if (!identifier.includes(':')) repository.tags.delete(identifier);
    else {
      repository.manifests.delete(digest);
      for (const [tag, target] of repository.tags) if (target === digest) repository.tags.delete(tag);
    }
    return { status: 202 };
  }
  return {
    status: 200,
    headers: { 'content-type': found.mediaType, 'docker-content-digest': digest },
    body: found.bytes,
  };
};

const blobAnswer = (repository: StoredRepository, digest: string, { method, request }: Question): Answer => {
  const found = repository.blobs.get(digest);
  if (found === undefined) return failure(404, 'BLOB_UNKNOWN', 'blob unknown to registry');
  if (method === 'DELETE') {
    repository.blobs.delete(digest);
    return { status: 202 };
  }
  const first = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (first > 0) {
    const range = `bytes ${first}-${found.byteLength - 1}/${found.byteLength}`;
    return { status: 206, headers: { 'content-range': range }, body: found.subarray(first) };
  }
  return {
    status: 200,
    headers: { 'content-type': 'application/octet-stream', 'docker-content-digest': digest },
    body: found,
  };
};

const startUpload = (path: string, { store, url, mounts }: Question): Answer => {
  const digest = url.searchParams.get('mount');
  const source = store.repositories.get(url.searchParams.get('from') ?? '');
  const blob = digest === null ? undefined : source?.blobs.get(digest);
  if (mounts && digest !== null && blob !== undefined) {
    store.repository(path).blobs.set(digest, blob);
    return { status: 201, headers: { location: `/v2/${path}/blobs/${digest}`, 'docker-content-digest': digest } };
  }
  const id = randomUUID();
  store.uploads.set(id, Buffer.alloc(0));
  return { status: 202, headers: { location: `/v2/${path}/blobs/uploads/${id}?state=1`, range: '0-0' } };
};

const uploadAnswer = (path: string, id: string, { store, method, url, request, body }: Question): Answer => {
  const so_far = store.uploads.get(id);
  if (so_far === undefined) return failure(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry');
  if (method === 'DELETE') {
    store.uploads.delete(id);
    return { status: 204 };
  }
  if (method === 'GET') {
    return {
      status: 204,
      headers: { location: url.pathname + url.search, range: `0-${Math.max(so_far.byteLength - 1, 0)}` },
    };
  }
  const start = /^(\d+)-/.exec(request.headers['content-range'] ?? '')?.[1];
  if (start !== undefined && Number(start) !== so_far.byteLength) return { status: 416 };
  const whole = Buffer.concat([so_far, body]);
  if (method === 'PATCH') {
    store.uploads.set(id, whole);
    const location = `/v2/${path}/blobs/uploads/${id}?state=${whole.byteLength}`;
    return { status: 202, headers: { location, range: `0-${whole.byteLength - 1}` } };
  }
  const digest = url.searchParams.get('digest') ?? '';
  if (sha256(whole) !== digest) return failure(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content');
  store.uploads.delete(id);
  store.repository(path).blobs.set(digest, whole);
  return { status: 201, headers: { location: `/v2/${path}/blobs/${digest}`, 'docker-content-digest': digest } };
};

const tagsAnswer = (path: string, repository: StoredRepository, { url, pageSize }: Question): Answer => {
  const size = Math.min(Number(url.searchParams.get('n') ?? pageSize), pageSize);
  const last = url.searchParams.get('last') ?? '';
  const rest = [...repository.tags.keys()].sort().filter((tag) => tag > last);
  const tags = rest.slice(0, size);
  const next =
    rest.length > size ? { link: `</v2/${path}/tags/list?n=${size}&last=${tags.at(-1) ?? ''}>; rel="next"` } : {};
  return {
    status: 200,
    headers: { 'content-type': 'application/json', ...next },
    body: Buffer.from(JSON.stringify({ name: path, tags })),
  };
};

/** What a registry says to this request. */
export const answerOf = (question: Question): Answer => {
  const { store, method, url } = question;
  if (url.pathname === '/v2/')
    return { status: 200, headers: { 'docker-distribution-api-version': 'registry/2.0' }, body: Buffer.from('{}') };
  const match = /^\/v2\/(.+?)\/(manifests|blobs|tags)\/(.+?)?$/.exec(url.pathname);
  const [, path = '', what, rest = ''] = match ?? [];
  if (what === 'blobs' && rest === 'uploads/' && method === 'POST') return startUpload(path, question);
  if (what === 'blobs' && rest.startsWith('uploads/'))
    return uploadAnswer(path, rest.slice('uploads/'.length), question);
  const writes = what === 'manifests' && method === 'PUT';
  const repository = writes ? store.repository(path) : store.repositories.get(path);
  if (match === null || repository === undefined)
    return failure(404, 'NAME_UNKNOWN', 'repository name not known to registry');
  if (what === 'manifests') return manifestAnswer(repository, rest, question);
  return what === 'blobs' ? blobAnswer(repository, rest, question) : tagsAnswer(path, repository, question);
};
