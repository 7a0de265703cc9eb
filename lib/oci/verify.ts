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

/** The same bytes, counted: for a rest whose digest nobody knows. Throws OciError `invalid-content` when they are more or fewer. */
export const exactly = async function* (
  body: AsyncIterable<Uint8Array>,
  size: number,
  what: string,
): AsyncGenerator<Uint8Array> {
  let read = 0;
  for await (const chunk of body) {
    read += chunk.byteLength;
    if (read > size) throw invalidContent(`${what} is longer than its ${size} bytes`);
    yield chunk;
  }
  if (read !== size) throw invalidContent(`${what} ended after ${read} of ${size} bytes`);
};

/** The bytes after the first `count`. */
export const skipping = async function* (body: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  let left = count;
  for await (const chunk of body) {
    if (left < chunk.byteLength) yield chunk.subarray(left);
    left = Math.max(left - chunk.byteLength, 0);
  }
};
