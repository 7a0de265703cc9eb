/** What a pod with injected sidecars needs from outside while it runs (spec 02 §6.6). Pure: the patches, not the patching. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { podReadyAnnotation } from '../api/labels.ts';
import { completionStatus, containerStatuses } from './steps.ts';

/** Every container runs, sidecars too, and nobody has said so yet: the steps may start. */
const areStepsToStart = (pod: Pod): boolean =>
  pod.metadata?.annotations?.[podReadyAnnotation] === undefined &&
  containerStatuses(pod).filter(({ ready }) => ready).length === pod.spec?.containers.length;

/** The last step is over, well or badly, and only sidecars keep the pod running. */
const isPodToEnd = (pod: Pod): boolean =>
  pod.status?.phase === 'Running' &&
  completionStatus(pod)?.state?.terminated !== undefined &&
  pod.spec?.activeDeadlineSeconds !== 1;

/** JSON merge patches to apply now, in order. The second is not repeated once it took effect, unlike in kpack. */
export const sidecarPatches = (pod: Pod): readonly { readonly metadata?: object; readonly spec?: object }[] => [
  ...(areStepsToStart(pod) ? [{ metadata: { annotations: { [podReadyAnnotation]: 'true' } } }] : []),
  ...(isPodToEnd(pod) ? [{ spec: { activeDeadlineSeconds: 1 } }] : []),
];
