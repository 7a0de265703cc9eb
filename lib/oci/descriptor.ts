/** Descriptors (image-spec descriptor.md): a blob or manifest with its media type. What a registry sends is checked before it is believed. */

import { parseJson } from '../text/bounded-json.ts';
import { isDigest } from './digest.ts';
import { invalidContent } from './errors.ts';
import { type Json, recordIn, textIn } from './image-json.ts';
import type { BlobName } from './registry.ts';

export interface Descriptor extends BlobName {
  readonly mediaType: string;
  /** All members as they came, to be written again. */
  readonly json: Json;
}

/** What an image runs on. `variant` is empty when not said. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
}

/** Most layers, or children of an index, that we look at: eight times what container runtimes can mount. */
const mostEntries = 1000;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Longest JSON that is parsed; registries refuse manifests above 4 MiB (distribution-spec). */
const mostBytes = 4 * 1024 * 1024;

/** A JSON object from bytes. Throws OciError `invalid-content`, `what` saying whose bytes they are. */
export const parseObject = (bytes: Uint8Array, what: string): Json => {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const parsed = parseJson(text, { mostCharacters: mostBytes });
    if (isObject(parsed)) return parsed;
  } catch {
    // Said below: the parser's message would quote whatever the registry sent.
  }
  throw invalidContent(`${what} is not a JSON object`);
};

/** A checked descriptor. Throws OciError `invalid-content`. */
export const parseDescriptor = (value: unknown, what: string): Descriptor => {
  const json = isObject(value) ? value : {};
  const { digest, size } = json;
  if (!isDigest(digest) || typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw invalidContent(`${what} has no sha256 digest and size`);
  }
  return { digest, size, mediaType: textIn(json, 'mediaType'), json };
};

/** The member as checked descriptors; none when it is absent. Throws OciError `invalid-content`. */
export const descriptorsIn = (document: Json, key: string, what: string): readonly Descriptor[] => {
  const value = document[key] ?? [];
  if (!Array.isArray(value) || value.length > mostEntries)
    throw invalidContent(`${what}: ${key} is no list of at most ${mostEntries}`);
  return value.map((entry: unknown, n) => parseDescriptor(entry, `${what}: ${key}[${n}]`));
};

/** The platform a document states, be it a config or the `platform` of a descriptor. */
export const platformOf = (json: Json): Platform => ({
  os: textIn(json, 'os'),
  architecture: textIn(json, 'architecture'),
  variant: textIn(json, 'variant'),
});

/** The platform of a child of an index; undefined when it states none. */
export const platformIn = ({ json }: Descriptor): Platform | undefined =>
  isObject(json['platform']) ? platformOf(recordIn(json, 'platform')) : undefined;
