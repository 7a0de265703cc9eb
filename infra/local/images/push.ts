import { ExpectedError } from '../../../lib/errors/expected.ts';
import { type Digest, digestOf } from '../../../lib/oci/digest.ts';
import { dockerManifestType } from '../../../lib/oci/media-types.ts';
import type { LocalImage } from './image.ts';

const REQUEST_DEADLINE_MS = 60_000;

/**
 * Stores an image in a plain-http registry (`host:port`) under its own name and tag; blobs that are there stay.
 * Answers the reference by digest.
 * @throws ExpectedError with method, path and status.
 */
export const pushImage = async (registry: string, image: LocalImage): Promise<string> => {
  const [repository = '', tag = 'latest'] = image.name.split(':');
  const base = `http://${registry}/v2/${repository}`;
  await pushBlob(base, digestOf(image.config), image.config);
  for (const layer of image.layers) await pushBlob(base, layer.digest, layer.blob);
  await call('PUT', `${base}/manifests/${tag}`, { type: dockerManifestType, bytes: image.manifest });
  return `${registry}/${repository}@${image.digest}`;
};

const pushBlob = async (base: string, digest: Digest, bytes: Uint8Array): Promise<void> => {
  const there = await fetch(`${base}/blobs/${digest}`, {
    method: 'HEAD',
    signal: AbortSignal.timeout(REQUEST_DEADLINE_MS),
  });
  if (there.ok) return;
  const upload = await call('POST', `${base}/blobs/uploads/`);
  const target = new URL(upload.headers.get('location') ?? '', base);
  target.searchParams.set('digest', digest);
  await call('PUT', target.href, { type: 'application/octet-stream', bytes });
};

const call = async (
  method: string,
  url: string,
  body?: { readonly type: string; readonly bytes: Uint8Array },
): Promise<Response> => {
  const response = await fetch(url, {
    method,
    signal: AbortSignal.timeout(REQUEST_DEADLINE_MS),
    ...(body === undefined ? {} : { headers: { 'content-type': body.type }, body: Buffer.from(body.bytes) }),
  });
  await response.arrayBuffer();
  if (response.ok) return response;
  throw new ExpectedError(`${method} ${new URL(url).pathname} on ${new URL(url).host} answers ${response.status}`);
};
