/** How much the directories of a pod may hold. */
import type { Pod, Volume } from 'kubernetes-types/core/v1.d.ts';

const limited = (volume: Volume, sizeLimit: string): Volume =>
  volume.emptyDir === undefined ? volume : { ...volume, emptyDir: { ...volume.emptyDir, sizeLimit } };

/** The same pod, which the kubelet evicts when one of its directories outgrows `sizeLimit`, a quantity such as `4Gi`; undefined: no limit. */
export const withEmptyDirLimit = (pod: Pod, sizeLimit: string | undefined): Pod =>
  sizeLimit === undefined || pod.spec === undefined
    ? pod
    : { ...pod, spec: { ...pod.spec, volumes: (pod.spec.volumes ?? []).map((volume) => limited(volume, sizeLimit)) } };
