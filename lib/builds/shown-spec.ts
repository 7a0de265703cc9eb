/**
 * A Build's spec as an attestation shows it to everybody who may pull the image: variables by name alone, since people put passwords into
 * them, and URLs without what could be a secret. Everything else names objects, and is as the Build has it. Pure.
 */
import type { BuildSpec } from '../api/build.ts';
import { shownSource } from '../api/shown-source.ts';
import { shownUrl } from '../text/shown-url.ts';

const isUrl = /^[a-z][a-z\d+.-]{0,31}:\/\//iu;

/** Any value with the URLs in it made fit to be shown, wherever they are. */
const shown = (value: unknown): unknown => {
  if (typeof value === 'string') return isUrl.test(value) ? shownUrl(value) : value;
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shown(member)]));
};

/** The spec, for SLSA's `externalParameters`. */
export const shownSpec = (spec: BuildSpec): unknown => {
  return shown({
    ...spec,
    ...(spec.env !== undefined && { env: spec.env.map(({ name }) => ({ name })) }),
    // A URL that was mistyped, or is none to `shown`, may hold a password all the same.
    source: shownSource(spec.source),
  });
};
