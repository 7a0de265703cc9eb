/**
 * Pods that kpack made for Builds which run when a cluster is taken over: nothing of ours remembers them, and they are not what would be made now.
 * `kpackless migrate run` lists them where operators alone write, and only what is listed is believed (docs/decisions/0006-whose-pod.md).
 */
import type { ConfigMap, Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../api/build.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import { isControlledBy, type KubeObject } from '../kube/object.ts';
import { madePod } from './made-pod.ts';

/** The list, as the API server returns it. */
export type TakenOver = ConfigMap & KubeObject;

/** Where it is. */
export const takenOverKey = { kind: 'ConfigMap', namespace: 'kpack', name: 'kpackless-taken-over' } as const;

/** What it says of a pod, under the pod's uid: which Build it is of, and what ran in it; neither can be chosen by whoever makes another pod. */
const entryOf = (build: Build, pod: Pod): string => `${build.metadata.uid ?? ''} ${madePod(pod).images}`;

/** A ConfigMap has a megabyte; an entry about 120 bytes. */
const mostPods = 5000;

/** The list of these pods, each with its Build; those that are not their Build's are left out, and of more than 5,000 the rest. */
export const takenOverList = (running: readonly (readonly [build: Build, pod: Pod])[]): TakenOver => {
  const own = running.filter(([build, pod]) => isControlledBy(pod, build)).slice(0, mostPods);
  const { kind, namespace, name } = takenOverKey;
  return {
    apiVersion: 'v1',
    kind,
    metadata: { name, namespace, labels: { 'app.kubernetes.io/part-of': 'kpackless' } },
    data: Object.fromEntries(own.map(([build, pod]) => [pod.metadata?.uid ?? '', entryOf(build, pod)])),
  };
};

/** Whether the list has this pod for this Build, as it still is. Pure. */
export const isListed = (list: TakenOver | undefined, build: Build, pod: Pod): boolean => {
  const said = list?.data?.[pod.metadata?.uid ?? ''];
  return said !== undefined && said === entryOf(build, pod);
};

/** Whether it was taken over; where the list may not be read nothing was. @throws KubeError */
export const isTakenOver = async (kube: KubeClient, build: Build, pod: Pod): Promise<boolean> => {
  try {
    return isListed(await kube.get<TakenOver>(takenOverKey), build, pod);
  } catch (error) {
    if (isKubeError(error, 'forbidden')) return false;
    throw error;
  }
};
