/**
 * JSON from tenants and hosts. The platform's parser takes seconds for 8 MB of brackets, and whoever walks or prints what it made falls over it:
 * so depth and number of values are counted first, in one pass over the text.
 */

/** What a text may hold. */
export interface JsonBounds {
  /** Longest text, in characters. */
  readonly mostCharacters: number;
  /** Objects and lists within each other; everything we read has less than twenty. */
  readonly deepest?: number;
  readonly mostValues?: number;
}

const usualDepth = 100;
const usualValues = 100_000;

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openings: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const closings: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** Behind the text that begins at `from`; a text without end reaches to the end of everything. */
const endOfText = (json: string, from: number): number => {
  let at = from + 1;
  while (at < json.length) {
    const code = json.charCodeAt(at);
    if (code === quote) return at + 1;
    at += code === backslash ? 2 : 1;
  }
  return json.length;
};

/** How deep a JSON text is nested, and how many values it has at most; both stop being counted when they are past the bounds. */
const sizeOf = (
  json: string,
  deepest: number,
  mostValues: number,
): { readonly depth: number; readonly values: number } => {
  let [open, depth, values, at] = [0, 0, 1, 0];
  while (at < json.length && depth <= deepest && values <= mostValues) {
    const code = json.charCodeAt(at);
    if (code === quote) {
      at = endOfText(json, at);
      continue;
    }
    if (openings.has(code)) {
      open += 1;
      values += 1;
      depth = Math.max(depth, open);
    } else if (closings.has(code)) open -= 1;
    else if (code === comma) values += 1;
    at += 1;
  }
  return { depth, values };
};

/** Is the text nested deeper than that? */
export const isDeeperThan = (json: string, deepest: number): boolean =>
  sizeOf(json, deepest, Number.POSITIVE_INFINITY).depth > deepest;

/** Where the platform's parser stopped, without what it found there: that may be a password. */
const placeIn = (cause: unknown): string => {
  const position = cause instanceof Error ? /at position (\d{1,10})/.exec(cause.message)?.[1] : undefined;
  return position === undefined ? 'unexpected text or end' : `unexpected text at position ${position}`;
};

/**
 * The value of a JSON text. @throws SyntaxError that says why it is none, or which bound it is past; never with any of its content, and
 * without a cause, which would quote it.
 */
export const parseJson = (
  json: string,
  { mostCharacters, deepest = usualDepth, mostValues = usualValues }: JsonBounds,
): unknown => {
  if (json.length > mostCharacters) throw new SyntaxError(`more than ${mostCharacters} characters`);
  const { depth, values } = sizeOf(json, deepest, mostValues);
  if (depth > deepest) throw new SyntaxError(`nested more than ${deepest} deep`);
  if (values > mostValues) throw new SyntaxError(`more than ${mostValues} values`);
  try {
    return JSON.parse(json) as unknown;
  } catch (cause) {
    throw new SyntaxError(placeIn(cause));
  }
};

/** Whether anything lies within so many objects and lists. Stops there, so that it never overflows the stack. */
const reachesBelow = (value: unknown, depth: number): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  if (depth === 0) return true;
  if (Array.isArray(value)) return value.some((item: unknown) => reachesBelow(item, depth - 1));
  for (const key in value) if (reachesBelow((value as Readonly<Record<string, unknown>>)[key], depth - 1)) return true;
  return false;
};

/** The value without what is nested deeper. */
const cutBelow = (value: unknown, depth: number): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return undefined;
  if (Array.isArray(value)) return value.map((item: unknown) => cutBelow(item, depth - 1) ?? null);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, cutBelow(member, depth - 1)]));
};

/**
 * The value of a JSON text whose size somebody else answers for, without what is nested deeper than `deepest`: that never meant anything to
 * anybody, and each walk over it would overflow the stack. @throws SyntaxError
 */
export const parseJsonCutBelow = (json: string, deepest: number): unknown => {
  const value = JSON.parse(json) as unknown;
  // Of the values, not of the text: an object of 5 KB has some two hundred of them.
  return reachesBelow(value, deepest) ? cutBelow(value, deepest) : value;
};
