/** What a builder's pass tells the next about an unfinished push, as the text a record keeps. */
import * as v from 'valibot';
import { isDigest } from '../oci/digest.ts';
import type { PushManner, Unfinished } from './push-image.ts';

/** A location longer than this is not kept: the upload is begun anew then. */
const longestLocation = 8192;

const UploadSchema = v.object({
  digest: v.custom<`sha256:${string}`>(isDigest),
  location: v.pipe(v.string(), v.maxLength(longestLocation)),
  sentBytes: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  minChunkBytes: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});
const MemorySchema = v.variant('blobs', [
  v.object({ blobs: v.picklist(['together', 'alone']) }),
  v.object({ blobs: v.literal('sittings'), upload: v.optional(UploadSchema) }),
]);

const prefix = 'push ';

/** How the next pass shall push; undefined when the last one left no unfinished push, or something that cannot be read. */
export const mannerIn = (memory: string | undefined): PushManner | undefined => {
  if (memory?.startsWith(prefix) !== true) return undefined;
  try {
    const parsed = v.safeParse(MemorySchema, JSON.parse(memory.slice(prefix.length)));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
};

/** From one manner to the next: together, alone, in pieces. */
const next = (manner: PushManner, { upload, stuck }: Unfinished): PushManner => {
  if (manner.blobs !== 'sittings')
    return stuck === true ? { blobs: manner.blobs === 'together' ? 'alone' : 'sittings' } : manner;
  if (upload === undefined || upload.location.length > longestLocation) return { blobs: 'sittings' };
  const { digest, location, sentBytes, minChunkBytes } = upload;
  return { blobs: 'sittings', upload: { digest, location, sentBytes, minChunkBytes } };
};

/** What is to be remembered after a push in this manner that was not finished. */
export const pushMemory = (manner: PushManner, unfinished: Unfinished): string =>
  prefix + JSON.stringify(next(manner, unfinished));
