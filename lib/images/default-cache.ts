/** The cache of an Image that says nothing of one (spec 01 §7.1). */
import type { StorageClass } from 'kubernetes-types/storage/v1.d.ts';
import { defaultCache } from '../api/defaults.ts';
import type { Image } from '../api/image.ts';
import { defaultStorageClassAnnotation } from '../api/labels.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Pass } from '../reconcile/reconciler.ts';

const isDefault = ({ metadata }: StorageClass): boolean =>
  metadata?.annotations?.[defaultStorageClassAnnotation] === 'true';

/** Who may not list classes builds without a default cache; `kpackless cluster check` says so. */
const hasDefaultClass = async (kube: KubeClient): Promise<boolean> => {
  try {
    return (await kube.list<StorageClass & KubeObject>('StorageClass')).some(isDefault);
  } catch (error) {
    if (isKubeError(error, 'forbidden')) return false;
    throw error;
  }
};

/** So old as what a controller hears of by a watch; many Images that are made at once cost one list. */
const believedMilliseconds = 1000;
/** Clusters whose classes are remembered. */
const mostClusters = 50;

/** Whether a claim without a class gets one in the pass's cluster, as it was within the last second. */
export type DefaultClass = (pass: Pick<Pass, 'cluster' | 'kube' | 'now'>) => Promise<boolean>;

/** Asks each cluster at most once a second. A failure is not remembered. */
export const defaultClass = (): DefaultClass => {
  /** The last that answered at the end. */
  const known = new Map<string, { readonly hasOne: boolean; readonly until: number }>();
  return async ({ cluster, kube, now }) => {
    const last = known.get(cluster);
    if (last !== undefined && now.getTime() < last.until) return last.hasOne;
    const hasOne = await hasDefaultClass(kube);
    known.delete(cluster);
    known.set(cluster, { hasOne, until: now.getTime() + believedMilliseconds });
    const [oldest] = known.keys();
    if (known.size > mostClusters && oldest !== undefined) known.delete(oldest);
    return hasOne;
  };
};

/** Whether an earlier pass looked at this spec: what it decided holds, so that a class that comes or goes changes no cache by itself. */
const isDecided = ({ metadata, status }: Image): boolean =>
  status?.observedGeneration !== undefined && status.observedGeneration === metadata.generation;

/**
 * The Image with the cache that kpack's webhook would have written into its spec: 2G where there is a default StorageClass. It is decided once for a
 * spec, said by `status.buildCacheName`, and never written into the spec, which belongs to whoever applied it.
 * @throws KubeError
 */
export const withDefaultCache = async (
  image: Image,
  pass: Parameters<DefaultClass>[0],
  hasDefault: DefaultClass,
): Promise<Image> => {
  if (image.spec.cache !== undefined) return image;
  const hasClaim = (image.status?.buildCacheName ?? '') !== '';
  if (!hasClaim && (isDecided(image) || !(await hasDefault(pass)))) return image;
  return { ...image, spec: { ...image.spec, cache: defaultCache } };
};
