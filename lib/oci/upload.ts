/**
 * Pushing a blob (distribution-spec "Pushing blobs"): mount it from a neighbour where possible, else one POST and one PUT with the whole
 * body — what every registry takes, ECR among them — and pieces only where a registry will not take the whole.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { ToldUrl } from '../text/shown-url.ts';
import type { Api } from './api.ts';
import type { Digest } from './digest.ts';
import { isOciError, OciError } from './errors.ts';
import { discard } from './http.ts';
import type { Repository } from './reference.ts';
import type { BlobSource, CallOptions } from './registry.ts';
import { responseError } from './response-error.ts';
import { isPassing } from './retry.ts';
import { sendChunks } from './upload-chunks.ts';
import { sessionFrom, type UploadSession } from './upload-session.ts';
import { verified } from './verify.ts';

export interface UploadOptions extends CallOptions {
  /** A repository of the same registry that has the blob. */
  readonly mountFrom?: Repository | undefined;
}

/** `mounted`: no byte was sent. */
export type Uploaded = 'mounted' | 'uploaded';

/** Error codes that a new upload may cure (spec 04 §9.3). */
const curable: ReadonlySet<string> = new Set([
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'TOOMANYREQUESTS',
  'UNKNOWN',
  'UNAVAILABLE',
]);

const mayTryAgain = (error: unknown): boolean => {
  if (!isOciError(error)) return false;
  if (error.code === 'unreachable') return true;
  if (error.status === undefined) return false;
  return error.errors.length > 0 ? error.errors.every(({ code }) => curable.has(code)) : isPassing(error.status);
};

/** Asks for a mount; the session the registry opened instead, or undefined when it is mounted. */
export const startMount = async (
  api: Api,
  repository: Repository,
  digest: Digest,
  from: Repository,
  options: CallOptions,
): Promise<UploadSession | undefined> => {
  const to = `blobs/uploads/?${new URLSearchParams({ mount: digest, from: from.path }).toString()}`;
  const response = await api.call(repository, {
    ...options,
    method: 'POST',
    to,
    actions: ['pull', 'push'],
    alsoPull: from,
  });
  if (response.status !== 201 && response.status !== 202)
    throw await responseError('POST', response, api.session.now());
  await discard(response);
  return response.status === 201 ? undefined : sessionFrom(response);
};

/** Opens an upload. */
export const start = async (api: Api, repository: Repository, options: CallOptions): Promise<UploadSession> => {
  const response = await api.call(repository, {
    ...options,
    method: 'POST',
    to: 'blobs/uploads/',
    actions: ['pull', 'push'],
  });
  if (response.status !== 202) throw await responseError('POST', response, api.session.now());
  await discard(response);
  return sessionFrom(response);
};

/** Frees a session that is not needed; a registry that will not is left alone. */
export const cancel = async (api: Api, repository: Repository, { location }: UploadSession): Promise<void> => {
  const signal = AbortSignal.timeout(5000);
  const call = api.call(repository, { method: 'DELETE', to: location, actions: ['pull', 'push'], once: true, signal });
  await call.then(discard, () => undefined);
};

const sendWhole = async (
  api: Api,
  repository: Repository,
  blob: BlobSource,
  { location }: UploadSession,
  options: CallOptions,
): Promise<number> => {
  const to = new ToldUrl(location);
  to.searchParams.set('digest', blob.digest);
  const response = await api.call(repository, {
    ...options,
    method: 'PUT',
    to,
    actions: ['pull', 'push'],
    headers: { 'content-type': 'application/octet-stream' },
    body: { size: blob.size, open: () => verified(blob.open(options), blob, { method: 'PUT', url: to }) },
    once: true,
  });
  if (response.status !== 413 && ![200, 201, 204].includes(response.status)) {
    throw await responseError('PUT', response, api.session.now());
  }
  await discard(response);
  return response.status;
};

const mountOrStart = async (
  api: Api,
  repository: Repository,
  blob: BlobSource,
  { mountFrom, ...options }: UploadOptions,
): Promise<UploadSession | undefined> => {
  if (mountFrom === undefined) return start(api, repository, options);
  try {
    return await startMount(api, repository, blob.digest, mountFrom, options);
  } catch (error) {
    // Registries differ in how they say that they will not mount: whatever it was, a plain upload tells whether it matters.
    if (!isOciError(error) || error.code === 'timeout') throw error;
    return start(api, repository, options);
  }
};

const once = async (api: Api, repository: Repository, blob: BlobSource, options: UploadOptions): Promise<Uploaded> => {
  const session = await mountOrStart(api, repository, blob, options);
  if (session === undefined) return 'mounted';
  const { mountFrom: _, ...call } = options;
  if (api.session.wantsChunks.has(repository.registry)) {
    await sendChunks(api, repository, blob, session, call);
    return 'uploaded';
  }
  if ((await sendWhole(api, repository, blob, session, call)) === 413) {
    api.session.wantsChunks.add(repository.registry);
    await cancel(api, repository, session);
    await sendChunks(api, repository, blob, await start(api, repository, call), call);
  }
  return 'uploaded';
};

/** Puts the blob into the repository; a failed upload is begun anew twice, from the blob's first byte. */
export const uploadBlob = async (
  api: Api,
  repository: Repository,
  blob: BlobSource,
  options: UploadOptions = {},
): Promise<Uploaded> => {
  const { attempts = 3, firstWaitMs = 100, longestWaitSeconds = 5 } = api.retry;
  for (let attempt = 1; ; attempt++) {
    try {
      const uploaded = await once(api, repository, blob, options);
      api.known.set(repository.registry, { repository, to: `blobs/${blob.digest}` });
      return uploaded;
    } catch (error) {
      const asked = error instanceof OciError ? (error.retryAfterSeconds ?? 0) : 0;
      if (attempt >= attempts || asked > longestWaitSeconds || !mayTryAgain(error)) throw error;
      const waitMs = Math.max(10 * firstWaitMs * 3 ** (attempt - 1), asked * 1000);
      await sleep(waitMs, undefined, { signal: options.signal }).catch(() => {
        throw error;
      });
    }
  }
};
