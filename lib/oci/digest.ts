/** Content digests: how a registry names bytes (image-spec descriptor.md, "Digests"). Only sha256 is understood. */
import { createHash } from 'node:crypto';
import { PermanentError } from '../errors/expected.ts';

/** `sha256:` and 64 lower-case hex digits. */
export type Digest = `sha256:${string}`;

/** True when the text is a well-formed sha256 digest. */
export const isDigest = (text: unknown): text is Digest =>
  typeof text === 'string' && /^sha256:[0-9a-f]{64}$/.test(text);

/** The text as a digest. Throws PermanentError when it is none. */
export const parseDigest = (text: string): Digest => {
  if (isDigest(text)) return text;
  throw new PermanentError(
    '',
    `cannot parse digest ${JSON.stringify(text)}: expected sha256: and 64 lower-case hex digits`,
  );
};

/** Digest of bytes, or of the UTF-8 encoding of a text. */
export const digestOf = (content: Uint8Array | string): Digest =>
  `sha256:${createHash('sha256').update(content).digest('hex')}`;

/** The 64 hex digits alone. */
export const hexOf = (digest: Digest): string => digest.slice('sha256:'.length);
