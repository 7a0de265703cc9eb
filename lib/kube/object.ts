/** What every Kubernetes object has, and how one is named. */
import type { ObjectMeta, OwnerReference } from '../api/object-meta.ts';

/** Names one object: `namespace` is empty for cluster-scoped kinds. */
export interface ObjectKey {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Metadata of any object; all of it may be absent on what the API gives or takes. */
export type KubeMeta = Partial<ObjectMeta>;

/** Whether its deletion has been asked for. */
export const isDeleting = (object: KubeObject): boolean =>
  (object.metadata?.deletionTimestamp ?? undefined) !== undefined;

/** Any object of the API. */
export interface KubeObject {
  readonly apiVersion?: string | undefined;
  readonly kind?: string | undefined;
  readonly metadata?: KubeMeta | undefined;
}

/** The key under which `object` is read again. Objects of a list carry no kind: pass it then. */
export const keyOf = (object: KubeObject, kind = object.kind ?? ''): ObjectKey => ({
  kind,
  namespace: object.metadata?.namespace ?? '',
  name: object.metadata?.name ?? '',
});

/** `Image default/app`, `ClusterStack base`: how a key is shown to people. */
export const showKey = ({ kind, namespace, name }: ObjectKey): string =>
  namespace === '' ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;

/** The owner reference that makes `owner` the controller of a child (spec 02 §2.3). */
export const controllerReference = (owner: KubeObject): OwnerReference => ({
  apiVersion: owner.apiVersion ?? '',
  kind: owner.kind ?? '',
  name: owner.metadata?.name ?? '',
  uid: owner.metadata?.uid ?? '',
  controller: true,
  blockOwnerDeletion: true,
});

/** The controller of `object`, if it has one. */
export const controllerOf = (object: KubeObject): OwnerReference | undefined =>
  object.metadata?.ownerReferences?.find((reference) => reference.controller === true);

/** Whether `child` is controlled by this very `owner` (by uid, not by name: DESIGN §3.9). */
export const isControlledBy = (child: KubeObject, owner: KubeObject): boolean =>
  owner.metadata?.uid !== undefined && controllerOf(child)?.uid === owner.metadata.uid;

/** A merge patch for the object with this uid alone: another of its name refuses it as invalid, since no uid can be changed. */
export const patchFor = (uid: string, patch: { readonly metadata?: object; readonly spec?: object }): object => ({
  ...patch,
  metadata: { ...patch.metadata, uid },
});
