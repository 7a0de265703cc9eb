/** The cache of an Image that says nothing of one (spec 01 §7.1). */
import type { StorageClass } from 'kubernetes-types/storage/v1.d.ts';
import { defaultCache } from '../api/defaults.ts';
import type { Image } from '../api/image.ts';
import { defaultStorageClassAnnotation } from '../api/labels.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/object.ts';

const isDefault = ({ metadata }: StorageClass): boolean =>
  metadata?.annotations?.[defaultStorageClassAnnotation] === 'true';

/** Whether a claim without a class gets one. Who may not list classes builds without a default cache; `kpackless cluster check` says so. */
const hasDefaultClass = async (kube: KubeClient): Promise<boolean> => {
  try {
    return (await kube.list<StorageClass & KubeObject>('StorageClass')).some(isDefault);
  } catch (error) {
    if (isKubeError(error, 'forbidden')) return false;
    throw error;
  }
};

/** Whether an earlier pass looked at this spec: what it decided holds, so that a class that comes or goes changes no cache by itself. */
const isDecided = ({ metadata, status }: Image): boolean =>
  status?.observedGeneration !== undefined && status.observedGeneration === metadata.generation;

/**
 * The Image with the cache that kpack's webhook would have written into its spec: 2G where there is a default StorageClass. It is decided once for a
 * spec, said by `status.buildCacheName`, and never written into the spec, which belongs to whoever applied it.
 * @throws KubeError
 */
export const withDefaultCache = async (image: Image, kube: KubeClient): Promise<Image> => {
  if (image.spec.cache !== undefined) return image;
  const hasClaim = (image.status?.buildCacheName ?? '') !== '';
  if (!hasClaim && (isDecided(image) || !(await hasDefaultClass(kube)))) return image;
  return { ...image, spec: { ...image.spec, cache: defaultCache } };
};
