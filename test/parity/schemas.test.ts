/** Every v1alpha2 object kpack made or accepted fits our schemas, and loses nothing when the API server prunes by them. */
import { readdirSync } from 'node:fs';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { schemas } from '../../infra/crds/schemas.ts';
import { isKind, type Kind } from '../../lib/api/kinds.ts';
import { golden, goldenFolder, goldenIsHere } from '../support/golden.ts';

type Json = Readonly<Record<string, unknown>>;
interface Request {
  readonly object?: unknown;
  readonly validate?: { readonly allowed: boolean };
}
const isJson = (input: unknown): input is Json => typeof input === 'object' && input !== null;

/** Fields of other kinds that the recorded conversion requests carried on purpose: pruned here as there. */
const prunedOnPurpose = new Set(['Build.spec.buildTimeout', 'SourceResolver.spec.serviceAccountName']);

/** Requests to admission that were made in order to be refused are not objects anybody stored. */
const files = goldenIsHere
  ? readdirSync(goldenFolder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.json') && name !== 'admission.json')
      .sort()
  : [];

const objectsIn = (input: unknown): readonly Json[] => {
  if (!isJson(input)) return [];
  const ours =
    input['apiVersion'] === 'kpack.io/v1alpha2' && isKind(String(input['kind'])) && isJson(input['metadata']);
  return ours ? [input] : Object.values(input).flatMap(objectsIn);
};

const lost = (before: unknown, after: unknown, path: string): readonly string[] => {
  if (!isJson(before) || !isJson(after)) return Object.is(before, after) ? [] : [`${path} changed`];
  return Object.keys(before).flatMap((key) =>
    key in after ? lost(before[key], after[key], `${path}.${key}`) : [`${path}.${key}`],
  );
};

const kindOf = (object: Json): Kind => {
  const kind = String(object['kind']);
  if (!isKind(kind)) throw new Error(`${kind} is none of our kinds`);
  return kind;
};

const faults = (object: Json): readonly string[] => {
  const kind = kindOf(object);
  const parsed = v.safeParse(schemas[kind], object);
  return parsed.success
    ? lost(object, parsed.output, kind).filter((path) => !prunedOnPurpose.has(path))
    : parsed.issues.map((issue) => `${kind}.${v.getDotPath(issue) ?? ''}: ${issue.message}`);
};

describe.runIf(goldenIsHere)('recorded objects', () => {
  const withObjects = files
    .map((file) => ({ file, objects: objectsIn(golden(file)) }))
    .filter(({ objects }) => objects.length > 0);

  it('are there in number', () => {
    expect(withObjects.flatMap(({ objects }) => objects).length).toBeGreaterThan(400);
  });

  it.each(withObjects)('$file fits the schemas and loses nothing', ({ objects }) => {
    expect(objects.flatMap(faults)).toEqual([]);
  });

  it('what kpack’s admission accepts, ours does not refuse', () => {
    const requests = Object.values(golden('admission.json') as readonly Request[]);
    const accepted = requests
      .filter(({ validate }) => validate?.allowed === true)
      .flatMap(({ object }) => objectsIn(object));
    expect(accepted.length).toBeGreaterThan(90);
    expect(accepted.filter((object) => !v.is(schemas[kindOf(object)], object))).toEqual([]);
  });
});
