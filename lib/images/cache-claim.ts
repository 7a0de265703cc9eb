/**
 * The volume that keeps an Image's layers between builds (spec 02 §3.3). It spares time and nothing else: whatever is wrong with it, builds go on,
 * with the claim as it is or without, and condition CacheReady says why.
 */
import type { PersistentVolumeClaim } from 'kubernetes-types/core/v1.d.ts';
import type { Image } from '../api/image.ts';
import { cacheClaimName } from '../api/names.ts';
import { ExpectedError, PermanentError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import { mergedLabels } from '../kube/merged-labels.ts';
import { controllerReference, isControlledBy, isDeleting, type KubeObject } from '../kube/object.ts';
import type { Pass } from '../reconcile/reconciler.ts';
import { sameStatus } from '../reconcile/same-status.ts';
import { isMoreThan } from '../text/quantity.ts';

type Claim = PersistentVolumeClaim & KubeObject;

/** What is wrong with a cache: it is not used, or used with another size than was asked for. */
export interface CacheTrouble {
  readonly reason: 'CacheUnusable' | 'CacheNotGrown';
  readonly message: string;
}

/** The claim that builds use, empty when they use none, and what is wrong with it. */
export interface EnsuredClaim {
  readonly name: string;
  readonly trouble?: CacheTrouble | undefined;
}

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

/**
 * Whether there can be a claim to drop: the status names it, or there is none as yet for this spec, and a pass for an earlier one may
 * have died after it made the claim. Otherwise an Image without a volume costs no request.
 */
const mayHaveClaim = ({ metadata, status }: Image): boolean =>
  (status?.buildCacheName ?? '') !== '' ||
  (metadata.generation !== 1 && status?.observedGeneration !== metadata.generation);

const unusable = (message: string): EnsuredClaim => ({
  name: '',
  trouble: { reason: 'CacheUnusable', message: `builds go on without their cache: ${message}` },
});

/** Whether the API server says no to what was asked, rather than that it cannot answer now. */
const isRefusal = (error: unknown): error is ExpectedError | PermanentError =>
  error instanceof PermanentError || isKubeError(error, 'forbidden');

/** Makes it; undefined when there is one of that name. */
const made = async (wanted: Claim, kube: KubeClient): Promise<EnsuredClaim | undefined> => {
  try {
    const { metadata } = await kube.create(wanted);
    return { name: metadata?.name ?? '' };
  } catch (error) {
    if (isKubeError(error, 'already-exists')) return undefined;
    if (isRefusal(error)) return unusable(error.message);
    throw error;
  }
};

/** A claim that goes away is gone in a moment, unless somebody holds it, seconds. */
const goingSeconds = 60;

/** Why a claim cannot be used by a build; undefined when it can. Throws ExpectedError for one that will be gone in a moment. */
const fault = (exists: Claim, image: Image, now: Date): string | undefined => {
  const name = exists.metadata?.name ?? '';
  if (!isControlledBy(exists, image))
    return `PersistentVolumeClaim ${name} exists but does not belong to this Image: delete it, or rename the Image`;
  if (isDeleting(exists)) {
    const since = Date.parse(exists.metadata?.deletionTimestamp ?? '');
    const going = `PersistentVolumeClaim ${name} is being deleted`;
    if (now.getTime() - since < goingSeconds * 1000)
      throw new ExpectedError(`${going}: it is waited for until it is gone`);
    return `${going}, and held by ${(exists.metadata?.finalizers ?? []).join(', ')}`;
  }
  if (exists.status?.phase === 'Lost')
    return `PersistentVolumeClaim ${name} has lost its volume: delete it, and another is made`;
  const { accessModes = [], volumeMode = 'Filesystem' } = exists.spec ?? {};
  const isWritable = accessModes.length === 0 || accessModes.some((mode) => mode.startsWith('ReadWrite'));
  if (!isWritable) return `PersistentVolumeClaim ${name} cannot be written (${accessModes.join(', ')})`;
  return volumeMode === 'Filesystem' ? undefined : `PersistentVolumeClaim ${name} is no file system (${volumeMode})`;
};

/** How a claim is ensured. */
interface ClaimOptions {
  /** For an Image that names no size: what is there stays as large as it is. */
  readonly keepsSize?: boolean;
}

/**
 * The claim as it is wanted, as far as it can be. It never shrinks, which no claim can: one that others made larger is used as it is.
 */
const adjusted = async (
  exists: Claim,
  wanted: Claim,
  kube: KubeClient,
  { keepsSize = false }: ClaimOptions,
): Promise<EnsuredClaim> => {
  const name = exists.metadata?.name ?? '';
  const [has, size] = [storageOf(exists), storageOf(wanted)];
  const isToGrow = !keepsSize && isMoreThan(size, has);
  const labels = mergedLabels(exists, wanted.metadata?.labels);
  if (!isToGrow && sameStatus(exists.metadata?.labels ?? {}, labels ?? {})) return { name };
  const { spec, metadata } = exists;
  const requests = { ...spec?.resources?.requests, ...(isToGrow && { storage: size }) };
  try {
    await kube.replace({
      ...exists,
      metadata: { ...metadata, labels },
      spec: { ...spec, resources: { ...spec?.resources, requests } },
    });
    return { name };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const message = `PersistentVolumeClaim ${name} stays at ${has} instead of ${size}: ${error.message}`;
    return { name, trouble: { reason: 'CacheNotGrown', message } };
  }
};

/** Creates, resizes or drops the claim. One that is not ours is never written nor deleted. Throws what is to be tried again. */
export const ensureCacheClaim = async (
  image: Image,
  { kube, isFirst, now }: Pass,
  options: ClaimOptions = {},
): Promise<EnsuredClaim> => {
  const wanted = wantedClaim(image);
  if (wanted === undefined && !mayHaveClaim(image)) return { name: '' };
  // There can hardly be one: it is looked at only if making it is refused.
  const first = isFirst && wanted !== undefined ? await made(wanted, kube) : undefined;
  if (first !== undefined) return first;
  const key = {
    kind: 'PersistentVolumeClaim',
    namespace: image.metadata.namespace ?? '',
    name: cacheClaimName(image.metadata.name),
  };
  const exists = await kube.get<Claim>(key);
  if (wanted === undefined) {
    if (exists !== undefined && isControlledBy(exists, image) && !isDeleting(exists)) await kube.delete(exists);
    return { name: '' };
  }
  if (exists === undefined) return (await made(wanted, kube)) ?? { name: key.name };
  const why = fault(exists, image, now);
  return why === undefined ? adjusted(exists, wanted, kube, options) : unusable(why);
};
