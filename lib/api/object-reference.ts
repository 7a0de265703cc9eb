import * as v from 'valibot';
import { described, longestName, object, text, textUpTo } from './field.ts';
import { notEmpty, type Rule, ruled } from './rule.ts';

const optionalEntries = {
  apiVersion: v.optional(text('API version of the object; needed only where any kind may be named.')),
  uid: v.optional(text('Accepted for compatibility, not read.')),
  resourceVersion: v.optional(text('Accepted for compatibility, not read.')),
  fieldPath: v.optional(text('Accepted for compatibility, not read.')),
};
const kind = textUpTo(longestName, 'Kind of the object.');
const name = textUpTo(longestName, 'Name of the object.');
const namespace = text('Namespace of the object.');

/** The fields of Kubernetes' ObjectReference, none of them mandatory. Source: spec 01 §3.10. */
export const objectReferenceEntries = {
  ...optionalEntries,
  kind: v.optional(kind),
  name: v.optional(name),
  namespace: v.optional(namespace),
};

/** Kubernetes' ObjectReference with nothing mandatory. */
export const objectReference = (description: string, ...rules: readonly Rule[]) =>
  ruled(object(objectReferenceEntries, description), ...rules);

/** A reference that must say kind and name, such as an Image's builder. */
export const kindAndName = (description: string, ...rules: readonly Rule[]) =>
  ruled(object({ ...optionalEntries, kind, name, namespace: v.optional(namespace) }, description), ...rules);

/** A reference whose kind is implied when left out, such as a Builder's stack. */
export const nameWithKind = <const K extends string>(impliedKind: K, description: string, ...rules: readonly Rule[]) =>
  ruled(
    object(
      { ...optionalEntries, kind: v.optional(kind, impliedKind), name, namespace: v.optional(namespace) },
      description,
    ),
    ...rules,
  );

/** A reference with an implied kind that may stay without a name, such as a Builder's store. */
export const optionalNameWithKind = <const K extends string>(
  impliedKind: K,
  description: string,
  ...rules: readonly Rule[]
) =>
  ruled(
    object(
      {
        ...optionalEntries,
        kind: v.optional(kind, impliedKind),
        name: v.optional(name),
        namespace: v.optional(namespace),
      },
      description,
    ),
    ...rules,
  );

/** A reference with implied kind and name, such as a builder's lifecycle. */
export const impliedReference = <const K extends string, const N extends string>(
  impliedKind: K,
  impliedName: N,
  description: string,
) =>
  object(
    {
      ...optionalEntries,
      kind: v.optional(kind, impliedKind),
      name: v.optional(name, impliedName),
      namespace: v.optional(namespace),
    },
    description,
  );

/** Names a ServiceAccount in a namespace; used by cluster-scoped kinds. */
export const serviceAccountReference = (description: string) =>
  object(
    {
      ...optionalEntries,
      kind: v.optional(kind),
      name: ruled(described(name, 'Name of the ServiceAccount.'), notEmpty('spec.serviceAccountRef.name')),
      namespace: ruled(
        textUpTo(longestName, 'Namespace of the ServiceAccount.'),
        notEmpty('spec.serviceAccountRef.namespace'),
      ),
    },
    description,
  );

/** Names a Secret in the namespace of the object it stands in. */
export const secretName = (description: string) =>
  object({ name: v.optional(text('Name of the Secret.'), '') }, description);

/** Kubernetes' ObjectReference: `kind`, `name` and `namespace` matter, the rest is carried. */
export type ObjectReference = v.InferOutput<ReturnType<typeof objectReference>>;

/** An {@link ObjectReference} that says at least kind and name. */
export type KindAndName = v.InferOutput<ReturnType<typeof kindAndName>>;

/** A ServiceAccount and the namespace it lives in. */
export type ServiceAccountReference = v.InferOutput<ReturnType<typeof serviceAccountReference>>;

/** A Secret in the same namespace. */
export type SecretName = v.InferOutput<ReturnType<typeof secretName>>;
