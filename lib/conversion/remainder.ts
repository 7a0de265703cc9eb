/**
 * What neither a field nor one of kpack's annotations carries through v1alpha1, where kpack loses it: the differences between an object and what comes
 * of converting it there and back, in an annotation of our own. Each says what it was made from, so that what a client of v1alpha1 changed since then
 * is not undone. A status is never among them: whoever may write an annotation may not write a status.
 */
import { isDeepStrictEqual } from 'node:util';
import * as v from 'valibot';
import { parseJson } from '../text/bounded-json.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import type { Parts } from './parts.ts';

/** Leaves room for other annotations: the API server lets all of an object have 256 KiB. */
const mostCharacters = 131_072;

/** In place of differences that are too many. */
export const tooLarge = 'too large for an annotation';

const deepest = 64;

const DifferencesSchema = v.array(
  v.object({
    path: v.pipe(v.array(v.string()), v.minLength(2), v.maxLength(deepest)),
    was: v.optional(v.unknown()),
    is: v.optional(v.unknown()),
  }),
);

/** A value at a path; `was` is absent where there was none, `is` where there shall be none. */
type Difference = v.InferOutput<typeof DifferencesSchema>[number];

type Carried = Pick<Parts, 'annotations' | 'spec'>;

const between = (was: unknown, is: unknown, path: readonly string[]): readonly Difference[] => {
  if (isDeepStrictEqual(was, is)) return [];
  if (isJsonObject(was) && isJsonObject(is) && path.length < deepest)
    return [...new Set([...Object.keys(was), ...Object.keys(is)])].flatMap((name) =>
      between(was[name], is[name], [...path, name]),
    );
  return [{ path: [...path], ...(was === undefined ? {} : { was }), ...(is === undefined ? {} : { is }) }];
};

/** The text of the annotation; undefined when coming back loses nothing. */
export const remainderOf = (original: Carried, comesBackAs: Carried): string | undefined => {
  const differences = [
    ...between(comesBackAs.annotations, original.annotations, ['annotations']),
    ...between(comesBackAs.spec, original.spec, ['spec']),
  ];
  if (differences.length === 0) return undefined;
  const text = JSON.stringify(differences);
  return text.length > mostCharacters ? tooLarge : text;
};

const set = (members: JsonObject, [name = '', ...rest]: readonly string[], { was, is }: Difference): JsonObject => {
  const now = Object.hasOwn(members, name) ? members[name] : undefined;
  if (rest.length > 0)
    return isJsonObject(now) ? { ...members, [name]: set(now, rest, { path: [], was, is }) } : members;
  if (!isDeepStrictEqual(now, was)) return members;
  return Object.fromEntries([
    ...Object.entries(members).filter(([other]) => other !== name),
    ...(is === undefined ? [] : [[name, is]]),
  ]) as JsonObject;
};

const isTexts = (members: JsonObject): members is Readonly<Record<string, string>> =>
  Object.values(members).every((value) => typeof value === 'string');

/** The parts with what the annotation says put back; undefined when it cannot be read. */
export const withRemainder = (parts: Carried, text: string): Carried | undefined => {
  let differences: readonly Difference[];
  try {
    differences = v.parse(DifferencesSchema, parseJson(text, { mostCharacters }));
  } catch (error) {
    if (error instanceof SyntaxError || v.isValiError(error)) return undefined;
    throw error;
  }
  let { annotations, spec }: { annotations: JsonObject; spec: JsonObject } = parts;
  for (const difference of differences) {
    const [root, ...path] = difference.path;
    if (root === 'spec') spec = set(spec, path, difference);
    else if (root === 'annotations') annotations = set(annotations, path, difference);
    else return undefined;
  }
  return isTexts(annotations) ? { annotations, spec } : undefined;
};
