/** Objects of our kinds within the recordings. */
import { readdirSync } from 'node:fs';
import { isKind, type Kind } from '../../lib/api/kinds.ts';
import { golden, goldenFolder } from './golden.ts';

/** Parsed JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/** A recorded v1alpha2 object of one of our kinds. */
export interface GoldenObject extends Json {
  readonly kind: Kind;
  readonly metadata: Json;
  readonly spec: Json;
  readonly status?: Json;
}

/** Whether it is a JSON object or list. */
export const isJson = (input: unknown): input is Json => typeof input === 'object' && input !== null;

const isObject = (input: Json): input is GoldenObject =>
  input['apiVersion'] === 'kpack.io/v1alpha2' && isKind(String(input['kind'])) && isJson(input['metadata']);

/** Every object of ours in `input`, however deep. */
export const objectsIn = (input: unknown): readonly GoldenObject[] => {
  if (!isJson(input)) return [];
  return isObject(input) ? [input] : Object.values(input).flatMap(objectsIn);
};

/** Recordings of what was sent to be judged, much of it made to be refused. */
const judged: ReadonlySet<string> = new Set(['admission.json', 'manifests.json', 'mistakes.json']);

/** The recordings that hold objects kpack took. */
export const goldenObjects = (): readonly { readonly file: string; readonly objects: readonly GoldenObject[] }[] =>
  readdirSync(goldenFolder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json') && !judged.has(name))
    .sort()
    .map((file) => ({ file, objects: objectsIn(golden(file)) }))
    .filter(({ objects }) => objects.length > 0);

/** Fields of other kinds that recorded conversion requests carried on purpose: dropped by kpack and by us. */
const droppedOnPurpose = new Set(['Build.spec.buildTimeout', 'SourceResolver.spec.serviceAccountName']);

/** Paths of what `before` had and `after` lacks or has otherwise. */
export const lost = (before: unknown, after: unknown, path: string): readonly string[] => {
  if (droppedOnPurpose.has(path)) return [];
  if (!isJson(before) || !isJson(after)) return Object.is(before, after) ? [] : [path];
  return Object.keys(before).flatMap((key) => lost(before[key], after[key], `${path}.${key}`));
};
