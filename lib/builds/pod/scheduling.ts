/** Where, when and as whom the pod runs: fields copied from the Build (spec 03 §4). */
import type { PodSpec } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../api/build.ts';
import { defined } from './defined.ts';

type Scheduling = Omit<PodSpec, 'containers' | 'initContainers' | 'volumes'>;

/**
 * The copied fields, absent ones left out. The deadline is for both kinds of pod: kpack leaves it off rebase pods, which then may
 * hang for ever (DESIGN §4). No `kubernetes.io/os` is added to the node selector.
 */
export const scheduling = ({ spec }: Build): Scheduling =>
  defined<Scheduling>({
    serviceAccountName: spec.serviceAccountName || 'default',
    nodeSelector: spec.nodeSelector,
    tolerations: spec.tolerations === undefined ? undefined : [...spec.tolerations],
    affinity: spec.affinity,
    runtimeClassName: spec.runtimeClassName,
    schedulerName: spec.schedulerName || undefined,
    priorityClassName: spec.priorityClassName || undefined,
    activeDeadlineSeconds: spec.activeDeadlineSeconds,
  });
