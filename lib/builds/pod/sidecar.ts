/**
 * The variant for clusters that inject sidecars into pods: a sidecar starts only after the init containers, so no step may be one.
 * Every step becomes a regular container that waits for the one before it (spec 03 §9). Unlike kpack's, the first container passes
 * the Pod Security Standard `restricted`, arguments are handed over one by one instead of being split on spaces (DESIGN §4), and no step
 * can write what another one runs or waits for, nor into the source before it is whole.
 */
import type { Container, Pod, Volume, VolumeMount } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../api/build.ts';
import { istioInjectAnnotation, podReadyAnnotation } from '../../api/labels.ts';
import type { StepProgram } from './context.ts';
import { handedOverBy } from './hand-over.ts';
import { copyWaiter, programs, programsVolume, waiterPath } from './programs.ts';
import { distinctVolumes } from './secrets.ts';
import { signalArguments, signals, signalsVolume } from './signals.ts';

const downward: VolumeMount = { name: 'downward-api-dir', mountPath: '/downward', readOnly: true };

const downwardVolume: Volume = {
  name: downward.name,
  downwardAPI: {
    items: [{ path: 'sidecars-ready', fieldRef: { fieldPath: `metadata.annotations['${podReadyAnnotation}']` } }],
  },
};

/** A step of our own image has the program itself and runs nothing from a volume; another one runs the copy. */
const starter = ({ image, volumeMounts = [] }: Container, waiter: StepProgram) => {
  if (image === waiter.image) return { command: [...waiter.command], mounts: volumeMounts };
  const isThere = volumeMounts.some(({ name }) => name === programs.name);
  return { command: [waiterPath], mounts: isThere ? volumeMounts : [...volumeMounts, programs] };
};

/** The step behind the waiter; `before` is the step whose end it awaits, absent for the first. */
const waiting = (step: Container, before: Container | undefined, waiter: StepProgram): Container => {
  const { command, mounts } = starter(step, waiter);
  const isFirst = before === undefined;
  return {
    ...step,
    command,
    args: [
      '-mode=wait',
      ...signalArguments(before?.name),
      ...(isFirst ? [`-wait-file=${downward.mountPath}/sidecars-ready`] : []),
      '--',
      ...(step.command ?? []),
      ...(step.args ?? []),
    ],
    volumeMounts: [...mounts, ...(isFirst ? [downward] : []), ...signals(step.name)],
  };
};

/** The same pod with all its steps as regular containers behind the waiter. */
export const withWaiter = (build: Build, pod: Pod, waiter: StepProgram): Pod => {
  const steps = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map(handedOverBy);
  const { [istioInjectAnnotation]: _, ...annotations } = pod.metadata?.annotations ?? {};
  return {
    ...pod,
    metadata: { ...pod.metadata, annotations },
    spec: {
      ...pod.spec,
      initContainers: [copyWaiter(build, 'pre-start', waiter)],
      containers: steps.map((step, index) => waiting(step, steps[index - 1], waiter)),
      volumes: distinctVolumes([...(pod.spec?.volumes ?? []), programsVolume, signalsVolume, downwardVolume]),
    },
  };
};
