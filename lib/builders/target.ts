/** Where a builder image goes (spec 04 §3 "Target reference"). */

import { PermanentError } from '../errors/expected.ts';
import { parseReference, printReference, type TagReference, withTag } from '../oci/reference.ts';

/** The object a builder image is made for. */
export interface BuilderIdentity {
  readonly kind: 'Builder' | 'ClusterBuilder';
  /** Empty for a ClusterBuilder. */
  readonly namespace: string;
  readonly name: string;
}

/** The builder's reference, and the one of the run image beside it. */
export interface BuilderTarget {
  readonly builder: TagReference;
  readonly runImage: TagReference;
}

/**
 * `spec.tag`; without a tag, or with `latest`, the tag says which builder it is. The run image goes beside it under `…-run-image`. Throws
 * PermanentError when either is no valid reference.
 */
export const targetOf = (tag: string, { kind, namespace, name }: BuilderIdentity): BuilderTarget => {
  const reference = parseReference(tag);
  if (reference.tag === undefined)
    throw new PermanentError('ReconcileFailed', `could not parse reference: ${tag} is no tag`);
  const own = kind === 'Builder' ? `builder-${namespace}-${name}` : `clusterbuilder-${name}`;
  const builder = reference.tag === 'latest' ? withTag(reference, own) : reference;
  return { builder, runImage: withTag(builder, `${builder.tag}-run-image`) };
};

/** `REGISTRY/REPOSITORY:TAG@DIGEST`: how a builder's status names its images. */
export const withBoth = (reference: TagReference, digest: string): string => `${printReference(reference)}@${digest}`;
