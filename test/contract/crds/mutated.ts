/**
 * Manifests with a fault or two put in anywhere, of all kinds and both versions: whatever is sent, the API server answers with a verdict of the rules
 * and never with an error of its own, and what it stores fits the schema. A small number in every run; KPACKLESS_MUTATED says how many, KPACKLESS_SEED
 * which.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { definitionOf } from '../../../infra/crds/definition.ts';
import { schemas } from '../../../infra/crds/schemas.ts';
import { type StructuralSchema, structuralSchema } from '../../../infra/crds/structural-schema.ts';
import { type Kind, kindNames } from '../../../lib/api/kinds.ts';
import { anyFitting } from '../../support/any-object.ts';
import { isJson, type Json } from '../../support/golden-objects.ts';
import { type Answer, collectionOf, type KpackCluster } from '../../support/kpack-cluster.ts';
import { faultIn } from '../../support/kpack-verdict.ts';
import { fitsSchema } from '../../support/schema-fit.ts';
import { anObject } from './chapter-01-table.ts';

const runs = Number(process.env['KPACKLESS_MUTATED'] ?? 200);
const seed = Number(process.env['KPACKLESS_SEED'] ?? 13);

/** Both versions of every kind, where there are two. */
const versions = kindNames.flatMap((kind) =>
  definitionOf(kind, { converter: { url: 'https://converter.example' } }).spec.versions.map(({ name, schema }) => ({
    kind,
    version: name,
    schema: (schema?.openAPIV3Schema as StructuralSchema | undefined)?.properties?.['spec'] ?? {},
  })),
);

const isThere = (value: unknown): boolean => value !== undefined && value !== null;

/** What the spec of a kind looks like when it is stored. */
const storedSchemas = Object.fromEntries(
  kindNames.map((kind) => [kind, structuralSchema(schemas[kind]).properties?.['spec'] ?? {}]),
) as Readonly<Record<Kind, StructuralSchema>>;

/** Values that are wrong nearly everywhere, and right in some place. */
const anything: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, '', 0, -1, 0.5, true, [], {}, [null], [{}], 'x', 'a/b', 'UPPER/case', 'a b', '2GB'),
  fc.constantFrom<unknown>(
    'a@b',
    'registry.example/team/app:1',
    `a/b@sha256:${'0'.repeat(64)}`,
    'https://a/b',
    '9'.repeat(40),
  ),
  fc.string({ maxLength: 40 }),
  fc.jsonValue({ maxDepth: 2 }),
);

/** A place in a value, chosen by numbers, and what is put there; undefined takes it away. */
interface Fault {
  readonly turns: readonly number[];
  readonly value: unknown;
}

const faults = fc.array(
  fc.record({
    turns: fc.array(fc.nat(), { minLength: 1, maxLength: 5 }),
    value: fc.option(anything, { nil: undefined }),
  }),
  { minLength: 0, maxLength: 2 },
);

const withFault = (value: unknown, { turns: [turn, ...rest], value: put }: Fault): unknown => {
  if (turn === undefined || !isJson(value) || Object.keys(value).length === 0) return put;
  const entries = Object.entries(value);
  const at = turn % entries.length;
  const changed = entries.map(([name, member], index) =>
    index === at
      ? ([name, rest.length === 0 ? put : withFault(member, { turns: rest, value: put })] as const)
      : ([name, member] as const),
  );
  return Array.isArray(value) ? changed.map(([, member]) => member) : Object.fromEntries(changed);
};

const manifests = fc.constantFrom(...versions).chain(({ kind, version, schema }) =>
  fc.record({
    kind: fc.constant<Kind>(kind),
    version: fc.constant(version),
    schema: fc.constant(schema),
    // Half begins as an object that is right, half with every field that there may be.
    spec: fc.oneof(
      ...(version === 'v1alpha2' ? [fc.constant<unknown>(anObject(kind, {})['spec'])] : []),
      anyFitting(schema),
    ),
    faults,
  }),
);

/** The suite, on a cluster that is there when its tests run. */
export const describeMutated = (cluster: () => KpackCluster): void => {
  describe('manifests with faults', () => {
    it(
      `are refused or stored as they should be, ${runs} of them`,
      async () => {
        const counted = { stored: 0, refused: 0, older: 0 };
        let number = 0;
        const send = async (
          kind: Kind,
          version: string,
          spec: unknown,
        ): Promise<Answer & { readonly path: string }> => {
          const name = `mutated-${++number}`;
          const path = collectionOf(kind, version);
          const apiVersion = `kpack.io/${version}`;
          const answer = await cluster().write('POST', path, { apiVersion, kind, metadata: { name }, spec });
          return { ...answer, path: `${path}/${name}` };
        };
        await fc.assert(
          fc.asyncProperty(manifests, async ({ kind, version, schema, spec, faults }) => {
            const sent = faults.reduce<unknown>(withFault, spec);
            const answer = await send(kind, version, sent);
            const isRefused = answer.status !== 201;
            counted[isRefused ? 'refused' : 'stored'] += 1;
            if (version !== 'v1alpha2') counted.older += 1;
            const stored = isRefused ? undefined : await takenAway(cluster(), answer.path);
            const isRead =
              !isThere(sent) || fitsSchema(storedSchemas[kind], sent, { required: kind === 'SourceResolver' });
            const fault = isRead ? faultIn(kind, sent) : 'types';
            // kpack's admission never sees v1alpha1 (spec 01 §9.2): whatever can be decoded is taken, and types are ours to hold (docs/api.md).
            const isOlderRead = isThere(sent) && fitsSchema(schema, sent, { required: true });
            const isWrong = version === 'v1alpha2' ? fault !== undefined : !isOlderRead;
            const expected = answer.status === 400 ? isRefused : isWrong;
            expect({
              isAnswer: [201, 400, 422].includes(answer.status),
              isRefused,
              fits: stored === undefined || fitsSchema(storedSchemas[kind], stored['spec'], { required: true }),
              fault,
              said: answer.message,
              stored,
            }).toEqual({ isAnswer: true, isRefused: expected, fits: true, fault, said: answer.message, stored });
          }),
          { numRuns: runs, seed },
        );
        console.log(
          `manifests with faults: ${counted.stored} stored, ${counted.refused} refused, ${counted.older} of them in v1alpha1 (seed ${seed})`,
        );
        expect(counted.stored + counted.refused).toBeGreaterThanOrEqual(runs);
      },
      60_000 + runs * 200,
    );
  });
};

/** The object as it is stored, which is then deleted. */
const takenAway = async (cluster: KpackCluster, path: string): Promise<Json> => {
  const stored = (await cluster.server.api.send('GET', path.replace('/v1alpha1/', '/v1alpha2/'))) as Json;
  await cluster.write('DELETE', path, {});
  return stored;
};
