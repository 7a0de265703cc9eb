/** A schema whose rules are left out, in CEL and as least values: its fields and types alone. */
import type { StructuralSchema } from './structural-schema.ts';

/**
 * For what kpack's admission never looks at (spec 01 §9.2): v1alpha1 of every kind, and SourceResolvers. What is wrong in such an object shows in
 * its conditions; as nobody changed the wrong field, an update in v1alpha2 is let pass (Kubernetes, "Validation ratcheting"). That a quantity is one
 * belongs to its type: kpack cannot read an object with another.
 */
export const withoutRules = (schema: StructuralSchema): StructuralSchema => {
  if (schema['x-kubernetes-int-or-string'] === true) return schema;
  const { 'x-kubernetes-validations': _, minimum: __, properties, additionalProperties, items, ...rest } = schema;
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
