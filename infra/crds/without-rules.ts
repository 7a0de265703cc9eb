/** A schema whose rules in CEL are left out: its fields and types alone. */
import type { StructuralSchema } from './structural-schema.ts';

/**
 * For what kpack's admission never looks at (spec 01 §9.2): v1alpha1 of every kind, and SourceResolvers. What is wrong in such an object shows in
 * its conditions; as nobody changed the wrong field, an update in v1alpha2 is let pass (Kubernetes, "Validation ratcheting").
 */
export const withoutRules = (schema: StructuralSchema): StructuralSchema => {
  const { 'x-kubernetes-validations': _, properties, additionalProperties, items, ...rest } = schema;
  return {
    ...rest,
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, property]) => [name, withoutRules(property)]),
          ),
        }),
    ...(additionalProperties === undefined ? {} : { additionalProperties: withoutRules(additionalProperties) }),
    ...(items === undefined ? {} : { items: withoutRules(items) }),
  };
};
