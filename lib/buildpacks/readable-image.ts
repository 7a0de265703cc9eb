/** What the readers look at in an image: its config's fields, and the layers its manifest lists. No blob but the config is read. */
import { PermanentError } from '../errors/expected.ts';
import type { Platform } from '../oci/descriptor.ts';

/** One image, read. */
export interface ReadableImage {
  /** `registry/repository@sha256:…`; for an index the child's digest (spec 04 §9.4). */
  readonly identifier: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `NAME=value` entries. */
  readonly env: readonly string[];
  readonly diffIds: readonly string[];
  readonly layers: readonly ReadableLayer[];
  readonly platform: Platform;
}

/** A layer as the manifest describes it; `size` is in bytes, compressed. */
export interface ReadableLayer {
  readonly digest: string;
  readonly size: number;
}

/** The text of a label. Throws PermanentError `could not find label KEY` (spec 04 §5). */
export const labelOf = ({ labels }: ReadableImage, key: string): string => {
  const label = labels[key];
  if (label === undefined) throw new PermanentError('', `could not find label ${key}`);
  return label;
};

/** Value of the first entry named `name`: the text up to a second `=` (spec 04 §5). Throws PermanentError `ENV NAME not found`. */
export const envOf = ({ env }: ReadableImage, name: string): string => {
  for (const entry of env) {
    const [key, value] = entry.split('=');
    if (key === name && value !== undefined) return value;
  }
  throw new PermanentError('', `ENV ${name} not found`);
};
