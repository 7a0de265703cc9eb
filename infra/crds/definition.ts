/** The CustomResourceDefinition of a kind (spec 01 §1). */
import type { CustomResourceDefinition, JSONSchemaProps } from 'kubernetes-types/apiextensions/v1.d.ts';
import { crdName, type Kind, kinds, kpackCategory } from '../../lib/api/kinds.ts';
import { GROUP, VERSION } from '../../lib/api/resource.ts';
import { schemas } from './schemas.ts';
import { type StructuralSchema, structuralSchema } from './structural-schema.ts';

/** Says that a definition is ours: an installation where it is missing belongs to somebody else (DESIGN §3.20). */
export const managedByLabel = { 'app.kubernetes.io/managed-by': 'kpackless' } as const;

/** Kinds whose spec says what was asked for once and is never asked for again (spec 01 §4.3, spec 02 §2.6). */
const immutable: ReadonlySet<Kind> = new Set(['Build']);

/** The schema with a rule that no update changes the spec. Where it was got around the reconciler notices (docs/decisions/0006-whose-pod.md). */
const withFrozenSpec = (schema: StructuralSchema): StructuralSchema => ({
  ...schema,
  properties: {
    ...schema.properties,
    spec: {
      ...schema.properties?.['spec'],
      'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'spec cannot be changed: make another Build' }],
    },
  },
});

const schemaOf = (kind: Kind): StructuralSchema => {
  const schema = structuralSchema(schemas[kind]);
  return immutable.has(kind) ? withFrozenSpec(schema) : schema;
};

/** A kind's definition, ready to apply. One version for now: v1alpha1 needs conversion. */
export const definitionOf = (kind: Kind): CustomResourceDefinition => {
  const { plural, singular, shortNames, scope, printerColumns } = kinds[kind];
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: crdName(kind), labels: managedByLabel },
    spec: {
      group: GROUP,
      scope,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular,
        ...(shortNames.length === 0 ? {} : { shortNames: [...shortNames] }),
        categories: [kpackCategory],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: printerColumns.map((column) => ({ ...column, type: 'string' })),
          schema: { openAPIV3Schema: schemaOf(kind) as JSONSchemaProps },
        },
      ],
    },
  };
};
