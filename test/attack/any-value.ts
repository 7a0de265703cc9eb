/** Every place of an object that its schema has, and what somebody may write there. */
import type { StructuralSchema } from '../../infra/crds/structural-schema.ts';

/** A node as the definitions have it. */
interface Node extends StructuralSchema {
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly additionalProperties?: Node;
}

/** Where a value is, and what kind of value the API server lets through there. */
export interface Place {
  readonly path: readonly (string | number)[];
  readonly takes: 'anything' | 'boolean' | 'list' | 'number' | 'object' | 'quantity' | 'text';
  /** The object may be without it. */
  readonly optional: boolean;
}

const takenBy = (schema: Node): Place['takes'] => {
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) return 'anything';
  if (schema['x-kubernetes-int-or-string'] === true) return 'quantity';
  if (schema.type === 'string') return 'text';
  if (schema.type === 'integer' || schema.type === 'number') return 'number';
  if (schema.type === 'array') return 'list';
  return schema.type === 'boolean' ? 'boolean' : 'object';
};

/** Every place below a schema, lists by their first item and maps by one key. A new field of a kind is among them by itself. */
export const placesIn = (schema: Node, path: Place['path'] = [], optional = false): readonly Place[] => {
  const here: Place = { path, takes: takenBy(schema), optional };
  const below = [
    ...Object.entries(schema.properties ?? {}).flatMap(([key, node]) =>
      // The API server puts defaults in.
      placesIn(node, [...path, key], schema.required?.includes(key) !== true && node.default === undefined),
    ),
    ...(schema.items === undefined ? [] : placesIn(schema.items, [...path, 0], true)),
    ...(typeof schema.additionalProperties === 'object'
      ? placesIn(schema.additionalProperties, [...path, 'some-key'], true)
      : []),
  ];
  return path.length > 0 && schema.enum === undefined ? [here, ...below] : below;
};

/** What the members beside a place must have, so that the API server takes the object at all. */
const plausible = (schema: Node): unknown => {
  if (schema.default !== undefined) return schema.default;
  if (schema.enum !== undefined) return schema.enum[0];
  switch (takenBy(schema)) {
    case 'text':
      return 'some-text';
    case 'number':
      return 1;
    case 'quantity':
      return '1Gi';
    case 'boolean':
      return true;
    default:
      if (schema.type === 'array') return schema.items === undefined ? [] : [plausible(schema.items)];
      return Object.fromEntries(
        Object.entries(schema.properties ?? {})
          .filter(([key, node]) => schema.required?.includes(key) === true || node.default !== undefined)
          .map(([key, node]) => [key, plausible(node)]),
      );
  }
};

const below = (schema: Node | undefined, key: string | number): Node | undefined =>
  typeof key === 'number' ? schema?.items : (schema?.properties?.[key] ?? schema?.additionalProperties);

/** The value with `wanted` at the path, and whatever has to be on the way there; undefined takes it away. */
export const changed = (value: unknown, path: Place['path'], wanted: unknown, schema: Node): unknown => {
  const [key, ...rest] = path;
  if (key === undefined) return wanted;
  const base = value ?? plausible(schema);
  const next = below(schema, key) ?? {};
  if (typeof key === 'number') {
    const items: readonly unknown[] = Array.isArray(base) ? base : [];
    const item = changed(items[key], rest, wanted, next);
    return item === undefined ? items.toSpliced(key, 1) : items.toSpliced(key, 1, item);
  }
  const members = typeof base === 'object' && base !== null ? (base as Readonly<Record<string, unknown>>) : {};
  return { ...members, [key]: changed(members[key], rest, wanted, next) };
};

const nested = (depth: number): unknown => JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`);

/** Texts that no author has in mind. Hosts that could be dialled are this machine's, at a port that nobody listens on. */
export const strangeTexts: readonly string[] = [
  '',
  ' ',
  '.',
  '..',
  '/',
  '#',
  '../../secrets/s',
  'a#b',
  'a/../b',
  '\u0000',
  'line\nbreak\r\n',
  '\u202E\u001B[31m\u200B',
  '\uD800',
  '%',
  '%zz%2e%2e',
  '{',
  '[]',
  '1e309',
  '-1',
  '9'.repeat(400),
  'x'.repeat(70_000),
  '__proto__',
  'constructor',
  '*',
  '(?:a+)+$',
  '$& $1',
  'http://[',
  'http://127.0.0.1:99999/',
  'https://256.256.256.256/a',
  'http://u%zz:p%zz@127.0.0.1:1/a',
  'http://127.0.0.1:1/a\u0000?x#y',
  'file:///etc/passwd',
  'javascript:1',
  'ext::sh -c x',
  'git@[::::]:a',
  'ssh://git@127.0.0.1:1/%zz',
  '127.0.0.1:99999/a/b:c',
  '[::1]:99999/a/b',
  '256.256.256.256/a/b',
  'xn--a/b/c',
  'r.example/a@sha256:',
  `r.example/a@sha256:${'g'.repeat(64)}`,
  'r.example/missing:1',
];

const strangeNumbers: readonly number[] = [0, -1, 2 ** 31, 2 ** 53, -(2 ** 63), 1e300];

/** What the API server lets through at a place. */
export const valuesFor = ({ takes, optional, path }: Place): readonly unknown[] => {
  const gone = optional && typeof path.at(-1) === 'string' ? [undefined] : [];
  switch (takes) {
    case 'text':
      return [...gone, ...strangeTexts];
    case 'number':
      return [...gone, ...strangeNumbers];
    case 'quantity':
      return [...gone, ...strangeNumbers.map(Math.round), ...strangeTexts.slice(0, 20)];
    case 'boolean':
      return [...gone, true, false];
    case 'anything':
      return [...gone, {}, { a: null }, { a: { b: [1, 'x'] } }, nested(1000)];
    case 'list':
      return [...gone, []];
    case 'object':
      return gone;
  }
};

/** Of these members an object has one; with two of them, the first would hide what the other holds. */
const alternatives: Readonly<Record<string, readonly string[]>> = {
  source: ['git', 'blob', 'registry'],
  builder: ['image', 'ref'],
  cache: ['volume', 'registry'],
};

/** As `changed`, without what would keep anybody from looking there. */
export const alone = (object: unknown, path: Place['path'], schema: StructuralSchema): unknown => {
  let changedObject = object;
  for (const [index, key] of path.entries()) {
    const member = path[index + 1];
    const members = alternatives[String(key)] ?? [];
    if (typeof member !== 'string' || !members.includes(member)) continue;
    for (const other of members)
      if (other !== member)
        changedObject = changed(changedObject, [...path.slice(0, index + 1), other], undefined, schema);
  }
  return changedObject;
};
