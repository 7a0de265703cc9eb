/** Manifests: get, head, put, delete (distribution-spec "Pulling manifests", "Pushing Manifests", "Deleting Manifests"). */
import type { AnswerHeaders } from '../egress/fetch.ts';
import { parseJson } from '../text/bounded-json.ts';
import type { Api } from './api.ts';
import { type Digest, digestOf, isDigest } from './digest.ts';
import { invalidContent, isOciError, OciError } from './errors.ts';
import { isHeadsNo, noteHead } from './head-truth.ts';
import { discard, readUpTo, replay } from './http.ts';
import { isImmutable, mayBeImmutable } from './immutable-tags.ts';
import { acceptManifests, isSchema1Type } from './media-types.ts';
import { identifierOf, printReference, type Reference } from './reference.ts';
import type { CallOptions, HeadOptions, ManifestHead, RawManifest } from './registry.ts';
import { responseError } from './response-error.ts';

/** Registries refuse manifests above 4 MiB (distribution-spec). */
const limitBytes = 4 * 1024 * 1024;

const pathOf = (reference: Reference): string => `manifests/${identifierOf(reference)}`;
const mediaTypeIn = (headers: AnswerHeaders): string =>
  (headers.get('content-type') ?? '').split(';', 1)[0]?.trim() ?? '';

/** What the body says it is, for registries that send no useful content type. */
const mediaTypeWithin = (bytes: Uint8Array): string => {
  try {
    const parsed = parseJson(new TextDecoder().decode(bytes), { mostCharacters: limitBytes });
    const inner = typeof parsed === 'object' && parsed !== null && 'mediaType' in parsed ? parsed.mediaType : undefined;
    return typeof inner === 'string' ? inner : '';
  } catch {
    return '';
  }
};

export const getManifest = async (api: Api, reference: Reference, options: CallOptions = {}): Promise<RawManifest> => {
  const response = await api.call(reference, {
    ...options,
    method: 'GET',
    to: pathOf(reference),
    actions: ['pull'],
    headers: { accept: acceptManifests },
  });
  if (response.status !== 200) throw await responseError('GET', response, api.session.now());
  api.known.set(reference.registry, { repository: reference, to: pathOf(reference) });
  const where = { method: 'GET', url: response.url } as const;
  const bytes = await readUpTo(response.body, limitBytes);
  if (bytes === undefined) throw invalidContent(`manifest is longer than ${limitBytes} bytes`, where);
  const stated = mediaTypeIn(response.headers);
  const mediaType = stated.startsWith('application/vnd.') ? stated : mediaTypeWithin(bytes) || stated;
  if (isSchema1Type(mediaType)) {
    throw invalidContent(
      `unsupported MediaType: "${mediaType}", an image format of before 2016: push the image anew`,
      where,
    );
  }
  const digest = digestOf(bytes);
  if (reference.digest !== undefined && reference.digest !== digest) {
    throw invalidContent(
      `manifest digest: "${digest}" does not match requested digest: "${reference.digest}" for "${printReference(reference)}"`,
      where,
    );
  }
  return { mediaType, digest, bytes };
};

export const headManifest = async (
  api: Api,
  reference: Reference,
  { believed = false, ...options }: HeadOptions = {},
): Promise<ManifestHead | undefined> => {
  const response = await api.call(reference, {
    ...options,
    method: 'HEAD',
    to: pathOf(reference),
    actions: ['pull'],
    headers: { accept: acceptManifests },
  });
  if (response.status !== 200) {
    const refusal = await responseError('HEAD', response, api.session.now());
    if (!isHeadsNo(response.status)) throw refusal;
    return believed && response.status === 404 ? undefined : missedHead(api, reference, refusal, options);
  }
  await discard(response);
  noteHead(api, reference.registry, true);
  const digest = response.headers.get('docker-content-digest');
  const size = Number(response.headers.get('content-length') ?? Number.NaN);
  const mediaType = mediaTypeIn(response.headers);
  if (isDigest(digest) && Number.isSafeInteger(size) && mediaType !== '') return { mediaType, digest, size };
  // The specification only recommends these headers; the body has the answer.
  return headByGet(api, reference, options);
};

const headByGet = async (api: Api, reference: Reference, options: CallOptions): Promise<ManifestHead> => {
  const { mediaType, digest, bytes } = await getManifest(api, reference, options);
  return { mediaType, digest, size: bytes.byteLength };
};

/** Caches of other registries fetch a manifest at GET and know nothing of it at HEAD before that. Throws what GET says, or HEAD where that says no more. */
const missedHead = async (
  api: Api,
  reference: Reference,
  refusal: OciError,
  options: CallOptions,
): Promise<ManifestHead | undefined> => {
  try {
    const head = await headByGet(api, reference, options);
    noteHead(api, reference.registry, false);
    return head;
  } catch (error) {
    if (isOciError(error, 'not-found')) return undefined;
    throw isOciError(error) && error.status === refusal.status && error.errors.length === 0 ? refusal : error;
  }
};

/**
 * A tag that may not be moved may have been put there by ourselves, before a death: then the refusal is a success. Throws OciError: `immutable`
 * for a tag that will hold another image for ever, else the refusal.
 */
const assertThere = async (
  api: Api,
  reference: Reference,
  digest: Digest,
  refusal: OciError,
  options: CallOptions,
): Promise<void> => {
  if (reference.tag === undefined || !mayBeImmutable(refusal)) throw refusal;
  const held = await headManifest(api, reference, options).catch((error: unknown) => {
    throw isOciError(error) ? refusal : error;
  });
  if (held?.digest === digest) return;
  if (held === undefined || !isImmutable(refusal)) throw refusal;
  const { status, errors, message } = refusal;
  const what = `tag ${printReference(reference)} holds ${held.digest}, and its registry does not let it be moved to ${digest}`;
  throw new OciError('immutable', `${what}: ${message}`, { status, errors, cause: refusal });
};

export const putManifest = async (
  api: Api,
  reference: Reference,
  { mediaType, bytes }: Pick<RawManifest, 'mediaType' | 'bytes'>,
  options: CallOptions = {},
): Promise<Digest> => {
  const response = await api.call(reference, {
    ...options,
    method: 'PUT',
    to: pathOf(reference),
    actions: ['pull', 'push'],
    headers: { 'content-type': mediaType },
    body: replay(bytes),
  });
  const digest = digestOf(bytes);
  if (![200, 201, 202].includes(response.status)) {
    await assertThere(api, reference, digest, await responseError('PUT', response, api.session.now()), options);
    return digest;
  }
  await discard(response);
  const stored = response.headers.get('docker-content-digest');
  if (isDigest(stored) && stored !== digest) {
    throw invalidContent(`the registry stored ${stored} instead of ${digest}`, { method: 'PUT', url: response.url });
  }
  return digest;
};

export const deleteManifest = async (api: Api, reference: Reference, options: CallOptions = {}): Promise<void> => {
  const response = await api.call(reference, {
    ...options,
    method: 'DELETE',
    to: pathOf(reference),
    actions: ['delete'],
  });
  if (![200, 202, 204, 404].includes(response.status)) throw await responseError('DELETE', response, api.session.now());
  await discard(response);
};
