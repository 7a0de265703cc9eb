/** Gives a running pod what it waits for from outside. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { PermanentError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import { KubeError } from '../kube/errors.ts';
import { patchFor } from '../kube/object.ts';
import { runImagePatches } from './extend-run.ts';
import { turnPatches } from './turn-patches.ts';

/**
 * The pod after all patches that are due, itself when none is. The uid in a patch is its condition: another pod of the name refuses it as invalid,
 * which is told as a conflict. @throws KubeError
 */
export const patchedPod = async (
  pod: Pod,
  { kube, now }: { readonly kube: KubeClient; readonly now: Date },
): Promise<Pod> => {
  const { namespace = '', name = '', uid = '' } = pod.metadata ?? {};
  const key = { kind: 'Pod', namespace, name };
  let current = pod;
  try {
    for (const patch of [...runImagePatches(pod), ...turnPatches(pod, { now })])
      current = await kube.patch<Pod>(key, patchFor(uid, patch));
  } catch (error) {
    if (!(error instanceof PermanentError)) throw error;
    if ((await kube.get<Pod>(key))?.metadata?.uid === uid) throw error;
    throw new KubeError('conflict', `pod ${name} was replaced`);
  }
  return current;
};
