import * as v from 'valibot';

/** The owner of an object: a child with `controller: true` is deleted with it and found through it. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  /** At most one owner of an object is its controller. */
  readonly controller?: boolean | undefined;
  /** Whether deleting the owner in the foreground waits for this object. */
  readonly blockOwnerDeletion?: boolean | undefined;
}

/** The part of Kubernetes' ObjectMeta that this project reads or writes. Also right for an object about to be created. */
export interface ObjectMeta {
  readonly name: string;
  /** Absent for cluster-scoped kinds. */
  readonly namespace?: string | undefined;
  /** Absent until created; distinguishes an object from a later one of the same name. */
  readonly uid?: string | undefined;
  /** Opaque; equality is the only question that may be asked (DESIGN §3.4). */
  readonly resourceVersion?: string | undefined;
  /** Moves only when the spec changes. */
  readonly generation?: number | undefined;
  /** RFC 3339, one-second resolution. */
  readonly creationTimestamp?: string | null | undefined;
  /** RFC 3339; present from the moment deletion was asked for. */
  readonly deletionTimestamp?: string | null | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly ownerReferences?: readonly OwnerReference[] | undefined;
  readonly finalizers?: readonly string[] | undefined;
}

/** Metadata of a list answer. */
export interface ListMeta {
  readonly resourceVersion?: string | undefined;
  /** Token of the next page; absent or empty on the last one. */
  readonly continue?: string | undefined;
  readonly remainingItemCount?: number | undefined;
}

const hasName = (input: unknown): boolean =>
  typeof input === 'object' && input !== null && 'name' in input && typeof input.name === 'string';

/** Metadata as the API server validated it: the schema of a CRD may say nothing more about it. */
export const ObjectMetaSchema = v.pipe(v.custom<ObjectMeta>(hasName), v.metadata({ type: 'object' }));
