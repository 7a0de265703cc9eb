/** Bytes are what their name says, or the reader is told before it has the end (distribution-spec "Pulling blobs"; image-spec "Digests"). */
import { createHash } from 'node:crypto';
import { invalidContent, type OciErrorOptions } from './errors.ts';
import type { BlobName } from './registry.ts';

/**
 * The same bytes, counted and hashed on their way. The last piece is held back until size and digest are known to be right, so whoever
 * copies never completes a wrong blob. Throws OciError `invalid-content`.
 */
export const verified = async function* (
  body: AsyncIterable<Uint8Array>,
  { digest, size }: BlobName,
  where: OciErrorOptions = {},
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let read = 0;
  let held: Uint8Array | undefined;
  for await (const chunk of body) {
    read += chunk.byteLength;
    if (read > size) throw invalidContent(`blob ${digest} is longer than its ${size} bytes`, where);
    hash.update(chunk);
    if (held !== undefined) yield held;
    held = chunk;
  }
  if (read !== size) throw invalidContent(`blob ${digest} ended after ${read} of ${size} bytes`, where);
  const actual = `sha256:${hash.digest('hex')}`;
  if (actual !== digest) throw invalidContent(`blob ${digest} has content of digest ${actual}`, where);
  if (held !== undefined) yield held;
};
