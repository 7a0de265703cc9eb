/** What a label of an image may hold. */
import type { JsonBounds } from '../text/bounded-json.ts';

/** Longest label, in characters: of the largest builders they have some 200,000. */
export const longestLabel = 1024 * 1024;

/** Bounds of JSON in a label. */
export const labelBounds: JsonBounds = { mostCharacters: longestLabel };
