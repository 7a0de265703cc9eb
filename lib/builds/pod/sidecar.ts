/**
 * The variant for clusters that inject sidecars into pods: a sidecar starts only after the init containers, so no step may be one.
 * Every step becomes a regular container that waits for the one before it (spec 03 §9). Unlike kpack's, the first container passes
 * the Pod Security Standard `restricted`, and arguments are handed over one by one instead of being split on spaces (DESIGN §4).
 */
import type { Container, Pod, Volume, VolumeMount } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../api/build.ts';
import { istioInjectAnnotation, podReadyAnnotation } from '../../api/labels.ts';
import { stepContainer } from './container.ts';
import type { StepProgram } from './context.ts';

const buildWait: VolumeMount = { name: 'build-wait-dir', mountPath: '/buildWait' };
const downward: VolumeMount = { name: 'downward-api-dir', mountPath: '/downward' };
const waiterPath = `${buildWait.mountPath}/build-waiter`;

const volumes: readonly Volume[] = [
  { name: buildWait.name, emptyDir: {} },
  {
    name: downward.name,
    downwardAPI: {
      items: [{ path: 'sidecars-ready', fieldRef: { fieldPath: `metadata.annotations['${podReadyAnnotation}']` } }],
    },
  },
];

const preStart = (build: Build, waiter: StepProgram): Container =>
  stepContainer(build, {
    name: 'pre-start',
    ...waiter,
    args: ['-mode=copy', `-to=${waiterPath}`],
    workingDir: '/workspace',
    mounts: [buildWait],
  });

/** The step behind the waiter; `before` is the step whose end it awaits, absent for the first. */
const waiting = (step: Container, before: Container | undefined): Container => ({
  ...step,
  command: [waiterPath],
  args: [
    '-mode=wait',
    `-done-file=${buildWait.mountPath}/${step.name}`,
    `-error-file=${buildWait.mountPath}/error`,
    `-wait-file=${before === undefined ? `${downward.mountPath}/sidecars-ready` : `${buildWait.mountPath}/${before.name}`}`,
    '--',
    ...(step.command ?? []),
    ...(step.args ?? []),
  ],
  volumeMounts: [...(step.volumeMounts ?? []), ...(before === undefined ? [downward] : []), buildWait],
});

/** The same pod with all its steps as regular containers behind the waiter. */
export const withWaiter = (build: Build, pod: Pod, waiter: StepProgram): Pod => {
  const steps = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const { [istioInjectAnnotation]: _, ...annotations } = pod.metadata?.annotations ?? {};
  return {
    ...pod,
    metadata: { ...pod.metadata, annotations },
    spec: {
      ...pod.spec,
      initContainers: [preStart(build, waiter)],
      containers: steps.map((step, index) => waiting(step, steps[index - 1])),
      volumes: [...(pod.spec?.volumes ?? []), ...volumes],
    },
  };
};
