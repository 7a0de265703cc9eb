/** Two objects field by field. */
import { isJson } from './golden-objects.ts';

/** A leaf that is not the same; undefined is a member that is not there. */
export interface Difference {
  readonly path: string;
  readonly theirs: unknown;
  readonly ours: unknown;
}

/** Every leaf by its path; empty objects and lists are leaves too. JSON inside a text stays text: it is compared by its bytes. */
const leaves = (value: unknown, ignored: ReadonlySet<string>, path = ''): readonly (readonly [string, unknown])[] => {
  if (!isJson(value)) return value === undefined ? [] : [[path, value]];
  const entries = Object.entries(value).filter(([key]) => !ignored.has(key));
  if (entries.length === 0) return [[path, Array.isArray(value) ? '[]' : '{}']];
  return entries.flatMap(([key, member]) => leaves(member, ignored, path === '' ? key : `${path}.${key}`));
};

/** Where they differ, members named in `ignored` left out at any depth. */
export const fieldDifferences = (
  theirs: unknown,
  ours: unknown,
  ignored: ReadonlySet<string>,
): readonly Difference[] => {
  const [left, right] = [new Map(leaves(theirs, ignored)), new Map(leaves(ours, ignored))];
  return [...new Set([...left.keys(), ...right.keys()])]
    .filter((path) => left.get(path) !== right.get(path))
    .map((path) => ({ path, theirs: left.get(path), ours: right.get(path) }));
};
