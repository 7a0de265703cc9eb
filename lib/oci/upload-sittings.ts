/**
 * Pushing one blob in several sittings, for a blob that needs more time than one caller has (distribution-spec "Pushing a blob in chunks",
 * "Resuming an upload"). Pieces are sent while there is time; what is left to say fits into a record and opens the next sitting.
 */
import { ToldUrl } from '../text/shown-url.ts';
import type { Api } from './api.ts';
import { isOciError, OciError } from './errors.ts';
import { discard, type HttpResponse, replay } from './http.ts';
import type { Repository } from './reference.ts';
import type { BlobSource, CallOptions, OpenUpload, SittingOptions } from './registry.ts';
import { responseError } from './response-error.ts';
import { cancel, start } from './upload.ts';
import { inPieces, pieceSize } from './upload-chunks.ts';
import { type UploadSession, uploadLocation } from './upload-session.ts';
import { exactly, skipping, verified } from './verify.ts';

interface Place {
  readonly session: UploadSession;
  readonly sentBytes: number;
  /** The registry would not say what it has: this is what we remember. */
  readonly unsure?: boolean;
}

const actions = ['pull', 'push'] as const;

/** Bytes the registry says it has; undefined when it does not say. An empty upload is `0-0` by custom. */
const kept = (response: HttpResponse): number | undefined => {
  const [, last] = /^(?:bytes=)?0-(\d{1,15})$/.exec(response.headers.get('range') ?? '') ?? [];
  if (last === undefined) return undefined;
  return last === '0' ? 0 : Number(last) + 1;
};

/** Where the upload is now; undefined when it has to be begun anew: it is over, or somebody died in the middle of a piece. */
const resumed = async (
  api: Api,
  repository: Repository,
  blob: BlobSource,
  { upload, signal }: SittingOptions,
): Promise<Place | undefined> => {
  if (upload === undefined || upload.digest !== blob.digest || !URL.canParse(upload.location)) return undefined;
  const { minChunkBytes } = upload;
  const location = new ToldUrl(upload.location);
  const response = await api.call(repository, { method: 'GET', to: location, actions: [...actions], signal });
  const unsupported = response.status === 405 || response.status === 501;
  const refused = [401, 403, 429].includes(response.status) || response.status >= 500;
  if (refused && !unsupported) throw await responseError('GET', response, api.session.now());
  await discard(response);
  if (unsupported) return { session: { location, minChunkBytes }, sentBytes: upload.sentBytes, unsure: true };
  if (response.status >= 300) return undefined;
  const sentBytes = kept(response) ?? upload.sentBytes;
  if (sentBytes > blob.size) return undefined;
  const moved = response.headers.has('location') ? uploadLocation(response) : location;
  return { session: { location: moved, minChunkBytes }, sentBytes };
};

/** The blob's bytes from `sentBytes` on: all of them hashed, or a rest counted, which the registry hashes with what it has. */
const restOf = (blob: BlobSource, sentBytes: number, options: CallOptions): AsyncIterable<Uint8Array> =>
  sentBytes === 0 || blob.openAt === undefined
    ? skipping(verified(blob.open(options), blob), sentBytes)
    : exactly(blob.openAt(sentBytes, options), blob.size - sentBytes, `the rest of blob ${blob.digest}`);

const sendPiece = async (
  api: Api,
  repository: Repository,
  blob: BlobSource,
  { session: { location, minChunkBytes }, sentBytes }: Place,
  piece: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<Place> => {
  const end = sentBytes + piece.byteLength;
  const response = await api.call(repository, {
    method: 'PATCH',
    to: location,
    actions: [...actions],
    headers: { 'content-type': 'application/octet-stream', 'content-range': `${sentBytes}-${end - 1}` },
    body: replay(piece),
    once: true,
    signal,
  });
  if (![201, 202, 204].includes(response.status)) throw await responseError('PATCH', response, api.session.now());
  await discard(response);
  const has = kept(response) ?? end;
  if (has !== end) {
    throw new OciError(
      'rejected',
      `the registry kept ${has} of ${end} bytes of blob ${blob.digest}, which has ${blob.size}: it takes no blob over several requests, and this one needs more time than there is for one`,
      { method: 'PATCH', url: location },
    );
  }
  return { session: { location: uploadLocation(response), minChunkBytes }, sentBytes: end };
};

const close = async (
  api: Api,
  repository: Repository,
  { digest }: BlobSource,
  { location }: UploadSession,
  signal: AbortSignal | undefined,
): Promise<void> => {
  const to = new ToldUrl(location);
  to.searchParams.set('digest', digest);
  const response = await api.call(repository, { method: 'PUT', to, actions: [...actions], once: true, signal });
  if ([200, 201, 204].includes(response.status)) return discard(response);
  const error = await responseError('PUT', response, api.session.now());
  // Its bytes are wrong: the next sitting begins with the first.
  if (error.code === 'rejected') await cancel(api, repository, { location, minChunkBytes: 0 });
  throw error;
};

/** Sends pieces while there is time. Gives where to go on; undefined when the blob is there. At least one piece is sent. Throws OciError. */
export const pushBlobInSittings = async (
  api: Api,
  repository: Repository,
  blob: BlobSource,
  options: SittingOptions,
): Promise<OpenUpload | undefined> => {
  const { signal, seconds } = options;
  const startedMs = performance.now();
  const first = (await resumed(api, repository, blob, options)) ?? {
    session: await start(api, repository, { signal }),
    sentBytes: 0,
  };
  const open = ({ session: { location, minChunkBytes }, sentBytes }: Place): OpenUpload => ({
    digest: blob.digest,
    location: location.href,
    sentBytes,
    minChunkBytes,
  });
  let place = first;
  let longestMs = 0;
  if (place.sentBytes < blob.size) {
    for await (const piece of inPieces(restOf(blob, first.sentBytes, { signal }), pieceSize(api, first.session))) {
      const pieceMs = performance.now();
      const before = place;
      try {
        place = await sendPiece(api, repository, blob, before, piece, signal);
      } catch (error) {
        if (!isOciError(error)) throw error;
        if (before.unsure === true && error.pace === 'slow')
          return pushBlobInSittings(api, repository, blob, { signal, seconds });
        // What was sent in this sitting is not given up for an outage.
        if (error.pace === 'soon' && before.sentBytes > first.sentBytes) return open(before);
        throw error;
      }
      longestMs = Math.max(longestMs, performance.now() - pieceMs);
      const spentMs = performance.now() - startedMs;
      if (place.sentBytes < blob.size && spentMs + 1.5 * longestMs > seconds * 1000) return open(place);
    }
  }
  await close(api, repository, blob, place.session, signal);
  api.known.set(repository.registry, { repository, to: `blobs/${blob.digest}` });
  return undefined;
};
