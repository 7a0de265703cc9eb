/** There and back between v1alpha1 and v1alpha2, whatever an object says: nothing is lost and nothing is added but defaults. */
import * as fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { convertedSchemas, schemas } from '../../../infra/crds/schemas.ts';
import { structuralSchema } from '../../../infra/crds/structural-schema.ts';
import { conversionCarriers, remainderAnnotation } from '../../../lib/api/labels.ts';
import { convert } from '../../../lib/conversion/convert.ts';
import { type ConvertedKind, olderDefaults, storedDefaults } from '../../../lib/conversion/defaults.ts';
import { isJsonObject, type JsonObject } from '../../../lib/conversion/json.ts';
import { anyFitting } from '../../support/any-object.ts';

const kinds: readonly ConvertedKind[] = ['Image', 'Build', 'Builder'];
const [older, stored] = ['kpack.io/v1alpha1', 'kpack.io/v1alpha2'] as const;

const annotations = fc.dictionary(
  fc.constantFrom('team', 'kubectl.kubernetes.io/last-applied-configuration', 'image.kpack.io/retry'),
  fc.string(),
);

const partOf = (schema: v.GenericSchema, name: 'spec' | 'status'): fc.Arbitrary<JsonObject> => {
  const part = structuralSchema(schema).properties?.[name];
  if (part === undefined) throw new Error(`the schema has no ${name}`);
  return anyFitting(part) as fc.Arbitrary<JsonObject>;
};

const anyObject = (kind: ConvertedKind, apiVersion: string, schema: v.GenericSchema) =>
  fc.record({
    apiVersion: fc.constant(apiVersion),
    kind: fc.constant(kind),
    metadata: fc.record({ name: fc.constant('x'), namespace: fc.constant('ns'), uid: fc.uuid(), annotations }),
    spec: partOf(schema, 'spec'),
    status: partOf(schema, 'status'),
  });

/** Absent and empty are one in v1alpha1, as in kpack's own types. */
const withoutEmpty = (value: unknown): unknown => {
  if (value === '' || value === undefined) return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item) => withoutEmpty(item) ?? {});
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value)
    .map(([name, member]) => [name, withoutEmpty(member)] as const)
    .filter(([, member]) => member !== undefined);
  return members.length === 0 ? undefined : Object.fromEntries(members);
};

const annotationsOf = ({ metadata }: JsonObject): JsonObject =>
  isJsonObject(metadata) && isJsonObject(metadata['annotations']) ? metadata['annotations'] : {};

describe.each(kinds)('%s', (kind) => {
  it('comes back from v1alpha1 as it was, with its defaults', () => {
    fc.assert(
      fc.property(anyObject(kind, stored, schemas[kind]), (object) => {
        const back = convert(kind, convert(kind, object, older), stored);
        expect(annotationsOf(back)).toEqual(object.metadata.annotations);
        expect(back['spec']).toEqual(storedDefaults(kind, object.spec, undefined));
        expect(back['status']).toEqual(object.status);
      }),
      { numRuns: 300 },
    );
  });

  it('comes back from v1alpha2 as it was, with its defaults, and carries nothing then', () => {
    fc.assert(
      fc.property(anyObject(kind, older, convertedSchemas[kind]), (object) => {
        const back = convert(kind, convert(kind, object, stored), older);
        expect(annotationsOf(back)).toEqual(object.metadata.annotations);
        expect(withoutEmpty(back['spec'])).toEqual(withoutEmpty(olderDefaults[kind](object.spec)));
        expect(back['status']).toEqual(object.status);
      }),
      { numRuns: 300 },
    );
  });

  it('is in v1alpha1 what the schema of v1alpha1 takes', () => {
    fc.assert(
      fc.property(anyObject(kind, stored, schemas[kind]), (object) => {
        const parsed = v.safeParse(convertedSchemas[kind], convert(kind, object, older));
        expect(parsed.issues ?? []).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it('is stored in v1alpha2 as its schema takes it, whatever its annotations claim to carry', () => {
    const carriers = fc.dictionary(
      fc.constantFrom(remainderAnnotation, ...Object.values(conversionCarriers)),
      fc.oneof(
        fc.json(),
        fc.string(),
        fc.json().map((is) => `[{"path":["spec","cache"],"is":${is}}]`),
      ),
    );
    fc.assert(
      fc.property(anyObject(kind, older, convertedSchemas[kind]), carriers, (object, claimed) => {
        const from = { ...object, metadata: { ...object.metadata, annotations: claimed } };
        const parsed = v.safeParse(schemas[kind], convert(kind, from, stored));
        expect(parsed.issues ?? []).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
