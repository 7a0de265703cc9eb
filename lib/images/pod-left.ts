/** A pod that outlives its Build: whoever deletes a running Build takes it away at once, and its pod goes on for its grace period. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Image } from '../api/image.ts';
import { buildPodName } from '../api/names.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ImageBuilds } from './builds-of-image.ts';

/** Seconds between two looks at such a pod: no event of it wakes its Image, as its owner is gone. */
export const lookAtPodSeconds = 10;

/**
 * The name of the pod that still runs for the Build that was the Image's latest and is gone; undefined when there is none. Asked before another Build is
 * made, and costs nothing while the latest Build is there.
 */
export const podLeft = async (image: Image, builds: ImageBuilds, kube: KubeClient): Promise<string | undefined> => {
  const latest = image.status?.latestBuildRef ?? '';
  if (latest === '' || builds.all.some(({ metadata }) => metadata.name === latest)) return undefined;
  const name = buildPodName(latest);
  const pod = await kube.get<Pod & { kind: 'Pod' }>({ kind: 'Pod', namespace: image.metadata.namespace ?? '', name });
  const phase = pod?.status?.phase;
  return pod === undefined || phase === 'Succeeded' || phase === 'Failed' ? undefined : name;
};
