/** What a migration does with CustomResourceDefinitions: none is ever deleted, as all objects of its kind would go with it. Pure. */
import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.d.ts';
import { VERSION } from '../api/resource.ts';
import type { KubeMeta, KubeObject } from '../kube/object.ts';
import { kpackWebhookService } from './kpack.ts';

/** A definition as the API server returns it. */
export type LiveDefinition = CustomResourceDefinition & KubeObject;

/** Whether objects of its kind may lie in the store in a version that ours does not name: the API server refuses ours then. */
export const holdsOlder = ({ status }: LiveDefinition): boolean =>
  (status?.storedVersions ?? []).some((version) => version !== VERSION);

/** Whether its objects can be read as kpackless reads them. */
export const servesOurs = ({ spec }: LiveDefinition): boolean =>
  spec.versions.some(({ name, served }) => name === VERSION && served);

/** Whether the API server asks kpack's webhook to convert its objects. */
export const asksKpack = ({ spec }: LiveDefinition): boolean => {
  const service = spec.conversion?.webhook?.clientConfig?.service;
  return service?.namespace === kpackWebhookService.namespace && service.name === kpackWebhookService.name;
};

/** Fields as an entry of `metadata.managedFields` names them (structured-merge-diff, `FieldsV1`). */
interface Fields {
  readonly [name: string]: Fields;
}

/** An entry of `metadata.managedFields` (meta/v1 `ManagedFieldsEntry`). */
export interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly apiVersion?: string;
  readonly time?: string;
  readonly fieldsType?: string;
  readonly fieldsV1?: Fields;
  readonly subresource?: string;
}

const union = (a: Fields, b: Fields): Fields => {
  const both: Record<string, Fields> = { ...a };
  for (const [name, below] of Object.entries(b)) both[name] = union(both[name] ?? {}, below);
  return both;
};

const specField = 'f:spec';
const apply = { manager: 'kpackless', operation: 'Apply', apiVersion: 'apiextensions.k8s.io/v1' } as const;

/** Who owns what of an object; empty where the API server does not say. */
export const managedFieldsOf = (metadata: KubeMeta | undefined): readonly ManagedFields[] =>
  (metadata as { readonly managedFields?: readonly ManagedFields[] } | undefined)?.managedFields ?? [];

/**
 * The same with all of the spec owned by our server-side apply, so that the next one takes away what is not in it: kpack's webhook beside a
 * strategy that must have none, above all. Labels and annotations stay whose they are (Kubernetes, "Server-Side Apply", transferring ownership).
 */
export const withSpecOurs = (entries: readonly ManagedFields[]): readonly ManagedFields[] => {
  const isApply = ({ manager, operation, subresource }: ManagedFields): boolean =>
    manager === apply.manager && operation === apply.operation && subresource === undefined;
  const [mine = { ...apply, fieldsType: 'FieldsV1' }] = entries.filter(isApply);
  let owned: Fields = mine.fieldsV1 ?? {};
  const others = entries
    .filter((entry) => !isApply(entry))
    .flatMap((entry): readonly ManagedFields[] => {
      const { [specField]: spec, ...rest } = entry.fieldsV1 ?? {};
      if (spec === undefined || entry.subresource !== undefined) return [entry];
      owned = union(owned, { [specField]: spec });
      return Object.keys(rest).length === 0 ? [] : [{ ...entry, fieldsV1: rest }];
    });
  return [{ ...mine, fieldsV1: owned }, ...others];
};

/** kpack's definition in place of what is there now: its spec, labels and annotations; what the API server says of it stays. */
export const putBack = (now: LiveDefinition, kpack: LiveDefinition): LiveDefinition => {
  const { labels, annotations } = kpack.metadata ?? {};
  const { labels: _labels, annotations: _annotations, ...metadata } = now.metadata ?? {};
  return {
    ...now,
    metadata: {
      ...metadata,
      ...(labels !== undefined && { labels: { ...labels } }),
      ...(annotations !== undefined && { annotations: { ...annotations } }),
    },
    spec: kpack.spec,
  };
};
