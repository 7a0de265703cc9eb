/**
 * The form in which all steps start at once, each a regular container that waits for the one before it. It spares the second that the kubelet
 * takes to notice the end of each init container (DESIGN §3.31), and where sidecars are injected no step may be an init container, as sidecars
 * start only after these (spec 03 §9). No step can write what another one runs or waits for, nor into the source before it is whole.
 */
import type { Container, Pod, Volume, VolumeMount } from 'kubernetes-types/core/v1.d.ts';
import { istioInjectAnnotation, podReadyAnnotation } from '../../api/labels.ts';
import type { TurnProgram } from './context.ts';
import { handedOverBy } from './hand-over.ts';
import { distinctVolumes } from './secrets.ts';
import { signals, signalsVolume } from './signals.ts';
import { copyIsThere, copying, starter, turnVolume } from './turn.ts';

const downward: VolumeMount = { name: 'downward-api-dir', mountPath: '/downward', readOnly: true };

const downwardVolume: Volume = {
  name: downward.name,
  downwardAPI: {
    items: [{ path: 'sidecars-ready', fieldRef: { fieldPath: `metadata.annotations['${podReadyAnnotation}']` } }],
  },
};

/** Whether the first step waits until all containers run: the pod itself says it, whatever is switched on now. */
export const waitsForSidecars = ({ spec }: Pod): boolean =>
  (spec?.volumes ?? []).some(({ name }) => name === downward.name);

interface Told {
  readonly flags: readonly string[];
  readonly mounts?: readonly VolumeMount[];
}

/** The step behind the program that waits. */
const inTurn = (step: Container, turn: TurnProgram, { flags, mounts = [] }: Told): Container => {
  const { command, mounts: needed } = starter(step, turn);
  return {
    ...step,
    command,
    args: [...flags, '--', ...(step.command ?? []), ...(step.args ?? [])],
    volumeMounts: [...(step.volumeMounts ?? []), ...needed, ...mounts, ...signals(step.name)],
  };
};

const withSidecars = (metadata: NonNullable<Pod['metadata']> = {}): NonNullable<Pod['metadata']> => {
  const { [istioInjectAnnotation]: _, ...annotations } = metadata.annotations ?? {};
  return { ...metadata, annotations };
};

interface Wanted {
  /** They are waited for before the first step begins. */
  readonly sidecars: boolean;
}

/** The same pod with all its steps as regular containers. */
export const startedAtOnce = (pod: Pod, turn: TurnProgram, { sidecars }: Wanted): Pod => {
  const steps = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map(handedOverBy);
  const isCopied = steps.some(({ image }) => image !== turn.image);
  const first = (step: Container): Container => {
    const ready = sidecars ? [`-ready=${downward.mountPath}/sidecars-ready`] : [];
    // A hook of a container that has ended is a failed one.
    const hold = isCopied ? [`-hold=${copyIsThere}`] : [];
    const started = inTurn(step, turn, { flags: [...ready, ...hold], mounts: sidecars ? [downward] : [] });
    return isCopied ? copying(started, turn) : started;
  };
  const { initContainers: _, ...spec } = pod.spec ?? { containers: [] };
  return {
    ...pod,
    ...(sidecars && { metadata: withSidecars(pod.metadata) }),
    spec: {
      ...spec,
      containers: steps.map((step, index) =>
        index === 0 ? first(step) : inTurn(step, turn, { flags: [`-after=${steps[index - 1]?.name ?? ''}`] }),
      ),
      volumes: distinctVolumes([
        ...(spec.volumes ?? []),
        ...(isCopied ? [turnVolume] : []),
        signalsVolume,
        ...(sidecars ? [downwardVolume] : []),
      ]),
    },
  };
};
