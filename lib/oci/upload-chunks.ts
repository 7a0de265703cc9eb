/** Pushing a blob in pieces (distribution-spec "Pushing a blob in chunks"), for registries and proxies that limit the size of a request. */
import { ToldUrl } from '../text/shown-url.ts';
import type { Api } from './api.ts';
import { OciError } from './errors.ts';
import { discard, replay } from './http.ts';
import type { Repository } from './reference.ts';
import type { BlobSource, CallOptions } from './registry.ts';
import { responseError } from './response-error.ts';
import { type UploadSession, uploadLocation } from './upload-session.ts';
import { verified } from './verify.ts';

/** The same bytes in pieces of exactly `size`, the last one shorter. */
export const inPieces = async function* (source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let pending: Uint8Array[] = [];
  let held = 0;
  for await (const chunk of source) {
    let rest = chunk;
    while (held + rest.byteLength >= size) {
      pending.push(rest.subarray(0, size - held));
      yield Buffer.concat(pending);
      rest = rest.subarray(size - held);
      pending = [];
      held = 0;
    }
    pending.push(rest);
    held += rest.byteLength;
  }
  if (held > 0) yield Buffer.concat(pending);
};

/** Largest piece we are ready to hold for a registry's sake, in bytes. */
const mostChunkBytes = 64 * 1024 * 1024;

/** The size of pieces for a registry. Throws OciError `rejected` when it wants them larger than we can hold. */
export const pieceSize = (api: Api, { minChunkBytes, location }: UploadSession): number => {
  const size = Math.max(api.chunkBytes, minChunkBytes);
  if (size <= mostChunkBytes) return size;
  throw new OciError('rejected', `the registry wants pieces of at least ${minChunkBytes} bytes`, {
    method: 'PATCH',
    url: location,
  });
};

/** Sends the blob piece by piece and closes the session. */
export const sendChunks = async (
  api: Api,
  repository: Repository,
  blob: BlobSource,
  session: UploadSession,
  options: CallOptions,
): Promise<void> => {
  let { location } = session;
  let start = 0;
  for await (const piece of inPieces(verified(blob.open(options), blob), pieceSize(api, session))) {
    const end = start + piece.byteLength - 1;
    const response = await api.call(repository, {
      ...options,
      method: 'PATCH',
      to: location,
      actions: ['pull', 'push'],
      headers: { 'content-type': 'application/octet-stream', 'content-range': `${start}-${end}` },
      body: replay(piece),
      once: true,
    });
    if (![201, 202, 204].includes(response.status)) throw await responseError('PATCH', response, api.session.now());
    await discard(response);
    location = uploadLocation(response);
    start = end + 1;
  }
  const to = new ToldUrl(location);
  to.searchParams.set('digest', blob.digest);
  const closed = await api.call(repository, { ...options, method: 'PUT', to, actions: ['pull', 'push'], once: true });
  if (![200, 201, 204].includes(closed.status)) throw await responseError('PUT', closed, api.session.now());
  await discard(closed);
};
