/** The volume that keeps an Image's layers between builds (spec 02 §3.3). */
import type { PersistentVolumeClaim } from 'kubernetes-types/core/v1.d.ts';
import type { Image } from '../api/image.ts';
import { cacheClaimName } from '../api/names.ts';
import { ExpectedError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import { controllerReference, isControlledBy, isDeleting, type KubeObject } from '../kube/object.ts';
import type { Pass } from '../reconcile/reconciler.ts';
import { sameStatus } from '../reconcile/same-status.ts';
import { sameQuantity } from '../text/quantity.ts';

type Claim = PersistentVolumeClaim & KubeObject;

/** The claim an Image wants; undefined when it wants no volume. A size is what makes one wanted. */
export const wantedClaim = (image: Image): Claim | undefined => {
  const { size, storageClassName } = image.spec.cache?.volume ?? {};
  if (size === undefined) return undefined;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: cacheClaimName(image.metadata.name),
      ...(image.metadata.namespace === undefined ? {} : { namespace: image.metadata.namespace }),
      ...(image.metadata.labels === undefined ? {} : { labels: { ...image.metadata.labels } }),
      ownerReferences: [controllerReference(image)],
    },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: String(size) } },
      ...(storageClassName === undefined || storageClassName === '' ? {} : { storageClassName }),
    },
  } as Claim;
};

const storageOf = (claim: Claim): string => claim.spec?.resources?.requests?.['storage'] ?? '';

const sameClaim = (exists: Claim, wanted: Claim, size: string): boolean =>
  sameQuantity(storageOf(exists), size) && sameStatus(exists.metadata?.labels, wanted.metadata?.labels);

/**
 * Whether there can be a claim to drop: the status names it, or there is none as yet for this spec, and a pass for an earlier one may
 * have died after it made the claim. Otherwise an Image without a volume costs no request.
 */
const mayHaveClaim = ({ metadata, status }: Image): boolean =>
  (status?.buildCacheName ?? '') !== '' ||
  (metadata.generation !== 1 && status?.observedGeneration !== metadata.generation);

/** Makes it; false when there is one of that name. */
const isMade = async (wanted: Claim, kube: KubeClient): Promise<boolean> => {
  try {
    await kube.create(wanted);
    return true;
  } catch (error) {
    if (isKubeError(error, 'already-exists')) return false;
    throw error;
  }
};

/**
 * Creates, resizes or drops the claim; gives its name, or an empty one. One that is not ours is never written nor deleted. `keepsSize` is for an Image
 * that names no size: what is there stays as large as it is.
 */
export const ensureCacheClaim = async (
  image: Image,
  { kube, isFirst }: Pass,
  { keepsSize = false }: { readonly keepsSize?: boolean } = {},
): Promise<string> => {
  const wanted = wantedClaim(image);
  if (wanted === undefined && !mayHaveClaim(image)) return '';
  const name = cacheClaimName(image.metadata.name);
  // There can hardly be one: it is looked at only if making it is refused.
  if (isFirst && wanted !== undefined && (await isMade(wanted, kube))) return name;
  const exists = await kube.get<Claim>({
    kind: 'PersistentVolumeClaim',
    namespace: image.metadata.namespace ?? '',
    name,
  });
  if (wanted === undefined) {
    if (exists !== undefined && isControlledBy(exists, image) && !isDeleting(exists)) await kube.delete(exists);
    return '';
  }
  if (exists === undefined) {
    await kube.create(wanted);
    return name;
  }
  if (!isControlledBy(exists, image))
    throw new ExpectedError(
      `PersistentVolumeClaim ${name} exists but does not belong to this Image: delete it, or rename the Image`,
      { pace: 'slow' },
    );
  // A pod with a claim that is going away is never scheduled; when the claim is gone we are woken and make another.
  if (isDeleting(exists))
    throw new ExpectedError(`PersistentVolumeClaim ${name} is being deleted: it is waited for until it is gone`);
  const size = storageOf(keepsSize ? exists : wanted);
  if (!sameClaim(exists, wanted, size)) {
    const { spec, metadata } = exists;
    const resources = { ...spec?.resources, requests: { ...spec?.resources?.requests, storage: size } };
    await kube.replace({
      ...exists,
      metadata: { ...metadata, labels: { ...wanted.metadata?.labels } },
      spec: { ...spec, resources },
    });
  }
  return name;
};
