/** Blobs: head, get, delete (distribution-spec "Pulling blobs", "Deleting Blobs"). Pushing is upload.ts. */
import type { Api } from './api.ts';
import type { Digest } from './digest.ts';
import { invalidContent } from './errors.ts';
import { isHeadBelieved, isHeadsNo, noteHead } from './head-truth.ts';
import { discard, readUpTo } from './http.ts';
import type { Repository } from './reference.ts';
import type { BlobName, CallOptions } from './registry.ts';
import { responseError } from './response-error.ts';
import { exactly, skipping, verified } from './verify.ts';

/** Longest blob read into memory unless the caller says otherwise. */
const memoryLimitBytes = 16 * 1024 * 1024;

export const hasBlob = async (
  api: Api,
  repository: Repository,
  digest: Digest,
  options: CallOptions = {},
): Promise<boolean> => {
  const head = await api.call(repository, { ...options, method: 'HEAD', to: `blobs/${digest}`, actions: ['pull'] });
  if (head.status !== 200 && !isHeadsNo(head.status)) throw await responseError('HEAD', head, api.session.now());
  await discard(head);
  if (head.status === 200) {
    noteHead(api, repository.registry, true);
    return true;
  }
  const isBelieved = head.status === 404 && (await isHeadBelieved(api, repository, options));
  return isBelieved ? false : firstByteThere(api, repository, digest, options);
};

/** The same by GET, of one byte where the registry knows ranges; an empty blob has none. */
const firstByteThere = async (
  api: Api,
  repository: Repository,
  digest: Digest,
  options: CallOptions,
): Promise<boolean> => {
  const response = await api.call(repository, {
    ...options,
    method: 'GET',
    to: `blobs/${digest}`,
    actions: ['pull'],
    headers: { range: 'bytes=0-0' },
  });
  if (![200, 206, 404, 416].includes(response.status)) throw await responseError('GET', response, api.session.now());
  await discard(response);
  return response.status !== 404;
};

export const openBlob = async function* (
  api: Api,
  repository: Repository,
  blob: BlobName,
  options: CallOptions = {},
): AsyncGenerator<Uint8Array> {
  const response = await api.call(repository, {
    ...options,
    method: 'GET',
    to: `blobs/${blob.digest}`,
    actions: ['pull'],
  });
  if (response.status !== 200) throw await responseError('GET', response, api.session.now());
  api.known.set(repository.registry, { repository, to: `blobs/${blob.digest}` });
  yield* verified(response.body, blob, { method: 'GET', url: response.url });
};

/** A rest of the blob (RFC 9110 §14); a registry that knows no ranges sends all of it, and the beginning is thrown away. */
export const openBlobAt = async function* (
  api: Api,
  repository: Repository,
  { digest, size }: BlobName,
  firstByte: number,
  options: CallOptions = {},
): AsyncGenerator<Uint8Array> {
  const response = await api.call(repository, {
    ...options,
    method: 'GET',
    to: `blobs/${digest}`,
    actions: ['pull'],
    headers: { range: `bytes=${firstByte}-` },
  });
  if (response.status !== 200 && response.status !== 206) throw await responseError('GET', response, api.session.now());
  const range = response.headers.get('content-range') ?? '';
  if (response.status === 206 && !range.startsWith(`bytes ${firstByte}-`)) {
    throw invalidContent(`asked for the bytes of blob ${digest} from ${firstByte} on, got others`, {
      method: 'GET',
      url: response.url,
    });
  }
  const rest = response.status === 206 ? response.body : skipping(response.body, firstByte);
  yield* exactly(rest, size - firstByte, `the rest of blob ${digest}`);
};

export const readBlob = async (
  api: Api,
  repository: Repository,
  blob: BlobName,
  { limitBytes = memoryLimitBytes, ...options }: CallOptions & { readonly limitBytes?: number } = {},
): Promise<Uint8Array> => {
  if (blob.size > limitBytes) {
    throw invalidContent(
      `blob ${blob.digest} of ${repository.registry}/${repository.path} says it has ${blob.size} bytes, more than ${limitBytes}`,
    );
  }
  // What is read is as long as it says, or it is an error before that.
  const bytes = await readUpTo(openBlob(api, repository, blob, options), blob.size);
  return bytes ?? new Uint8Array();
};

export const deleteBlob = async (
  api: Api,
  repository: Repository,
  digest: Digest,
  options: CallOptions = {},
): Promise<void> => {
  const response = await api.call(repository, {
    ...options,
    method: 'DELETE',
    to: `blobs/${digest}`,
    actions: ['delete'],
  });
  if (![200, 202, 204, 404].includes(response.status)) throw await responseError('DELETE', response, api.session.now());
  await discard(response);
};
