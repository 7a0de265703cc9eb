/** What kpack's defaulting webhook made of recorded requests, against the defaults of our schemas. */
import { isDeepStrictEqual } from 'node:util';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { schemas } from '../../infra/crds/schemas.ts';
import { defaultCache } from '../../lib/api/defaults.ts';
import { isKind } from '../../lib/api/kinds.ts';
import { golden } from '../support/golden.ts';
import { type PatchOperation, patched } from '../support/json-patch.ts';

interface Stored {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec?: Readonly<Record<string, unknown>>;
}
interface Request {
  readonly name: string;
  readonly object?: Stored;
  readonly defaults?: { readonly allowed: boolean; readonly patch?: readonly PatchOperation[] };
}

/** Where we differ on purpose. */
const differences = new Map([
  [
    'Builder: stack.kind = ""',
    'a schema defaults what is absent, not what is empty; the reconciler reads empty as ClusterStack',
  ],
]);

/** Empty members do not count: kpack's webhook drops them and the API server keeps them as they were sent. */
const withoutEmpty = (value: unknown): unknown => {
  if (value === '' || value === null) return undefined;
  if (typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(withoutEmpty);
  const entries = Object.entries(value)
    .map(([key, member]) => [key, withoutEmpty(member)] as const)
    .filter(([, member]) => member !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
};

/** The recordings were made where a default StorageClass exists; only admission, which knows that, adds the cache. */
const withRecordedCache = ({ kind, spec }: Stored): unknown =>
  kind === 'Image' && spec?.['cache'] === undefined ? { ...spec, cache: defaultCache } : spec;

/** Requests our schema takes at all; what it refuses, kpack's validation refused too (test/parity/schemas.test.ts). */
const comparable = (golden('admission.json') as readonly Request[]).flatMap(({ name, object, defaults }) => {
  if (object?.apiVersion !== 'kpack.io/v1alpha2' || defaults?.allowed !== true || !isKind(object.kind)) return [];
  const ours = v.safeParse(schemas[object.kind], object);
  return ours.success
    ? [{ name, ours: ours.output as Stored, kpack: patched(object, defaults.patch ?? []) as Stored }]
    : [];
});

describe('defaults of recorded requests', () => {
  it('are there in number', () => {
    expect(comparable.length).toBeGreaterThan(150);
  });

  it('are kpack’s but for the listed differences', () => {
    const differing = comparable
      .filter(({ ours, kpack }) => !isDeepStrictEqual(withoutEmpty(withRecordedCache(ours)), withoutEmpty(kpack.spec)))
      .map(({ name }) => name);
    expect(differing).toEqual([...differences.keys()]);
  });
});
