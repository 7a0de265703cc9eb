/** A cache volume that a build could not read is given up, so that the next ones do not stumble over it: their Image makes another. */
import type { PersistentVolumeClaim } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../api/build.ts';
import { ExpectedError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import { controllerOf, isDeleting, type KubeObject } from '../kube/object.ts';
import type { Retreat } from './retreat.ts';

/**
 * Deletes the claim if the Build's Image made it; anybody else's is left alone. That it cannot be deleted now stops nothing: the next build that
 * fails on it tries again.
 */
export const giveUpCache = async (build: Build, { reason }: Retreat, kube: KubeClient): Promise<void> => {
  const name = build.spec.cache?.volume?.persistentVolumeClaimName ?? '';
  const owner = controllerOf(build);
  if (reason !== 'WithoutCache' || name === '' || owner === undefined) return;
  try {
    const namespace = build.metadata.namespace ?? '';
    const claim = await kube.get<PersistentVolumeClaim & KubeObject>({
      kind: 'PersistentVolumeClaim',
      namespace,
      name,
    });
    if (claim === undefined || isDeleting(claim) || controllerOf(claim)?.uid !== owner.uid) return;
    await kube.delete({ ...claim, kind: 'PersistentVolumeClaim' });
  } catch (error) {
    if (!(error instanceof ExpectedError)) throw error;
  }
};
