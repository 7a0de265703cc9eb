/** Every v1alpha2 object kpack made or accepted fits our schemas, and loses nothing when it is pruned by them. */
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { schemas } from '../../infra/crds/schemas.ts';
import { golden } from '../support/golden.ts';
import { type GoldenObject, goldenObjects, lost, objectsIn } from '../support/golden-objects.ts';

interface Request {
  readonly object?: unknown;
  readonly validate?: { readonly allowed: boolean };
}

const faults = (object: GoldenObject): readonly string[] => {
  const parsed = v.safeParse(schemas[object.kind], object);
  return parsed.success
    ? lost(object, parsed.output, object.kind)
    : parsed.issues.map((issue) => `${object.kind}.${v.getDotPath(issue) ?? ''}: ${issue.message}`);
};

describe('recorded objects', () => {
  const recordings = goldenObjects();

  it('are there in number', () => {
    expect(recordings.flatMap(({ objects }) => objects).length).toBeGreaterThan(400);
  });

  it.each(recordings)('$file fits the schemas and loses nothing', ({ objects }) => {
    expect(objects.flatMap(faults)).toEqual([]);
  });

  it('what kpack’s admission accepts, ours does not refuse', () => {
    const requests = golden('admission.json') as readonly Request[];
    const accepted = requests
      .filter(({ validate }) => validate?.allowed === true)
      .flatMap(({ object }) => objectsIn(object));
    expect(accepted.length).toBeGreaterThan(90);
    expect(accepted.filter((object) => !v.is(schemas[object.kind], object))).toEqual([]);
  });
});
