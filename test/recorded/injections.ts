/** What meshes, agents and policies do to pods, by name. */
import type { Container, PodSpec, Volume } from 'kubernetes-types/core/v1.d.ts';
import type { Injection } from '../support/pod-webhook.ts';

/** A container that runs this in sh. */
const container = (image: string, name: string, script: string, more: object = {}): Container => ({
  name,
  image,
  command: ['/bin/sh', '-c', script],
  ...more,
});

const forever = 'trap "exit 0" TERM; while true; do sleep 1; done';

const withInit =
  (...first: readonly Container[]): Injection =>
  (spec) => ({ ...spec, initContainers: [...first, ...(spec.initContainers ?? [])] });

const beside =
  (...more: readonly Container[]): Injection =>
  (spec) => ({ ...spec, containers: [...spec.containers, ...more] });

const inStep = (name: string, change: (step: Container) => Container): Injection => {
  const changed = (all: readonly Container[] = []): Container[] =>
    all.map((one) => (one.name === name ? change(one) : one));
  return (spec): PodSpec => ({
    ...spec,
    ...(spec.initContainers !== undefined && { initContainers: changed(spec.initContainers) }),
    containers: changed(spec.containers),
  });
};

/** Kubelets look after the volumes alone that a container mounts. */
const mounting =
  (volume: Volume): Injection =>
  (spec) => {
    const mounted = inStep('prepare', (step) => ({
      ...step,
      volumeMounts: [...(step.volumeMounts ?? []), { name: volume.name, mountPath: '/agent' }],
    }));
    return mounted({ ...spec, volumes: [...(spec.volumes ?? []), volume] });
  };

/** All of them; `image` has a shell. */
export const injections = (image: string): Readonly<Record<string, Injection>> => ({
  'native-sidecar': withInit(container(image, 'mesh-proxy', forever, { restartPolicy: 'Always' })),
  'failing-sidecar': withInit(
    container(image, 'mesh-proxy', 'trap "exit 1" TERM; while true; do sleep 1; done', { restartPolicy: 'Always' }),
  ),
  'looping-sidecar': withInit(
    container(image, 'mesh-proxy', 'exit 1', {
      restartPolicy: 'Always',
      startupProbe: { exec: { command: ['/bin/sh', '-c', 'exit 1'] }, failureThreshold: 100 },
    }),
  ),
  'plain-sidecar': beside(container(image, 'agent', forever)),
  'ends-at-once': beside(container(image, 'agent', 'exit 0')),
  'fails-at-once': beside(container(image, 'agent', 'exit 3')),
  'cannot-start': beside({ name: 'agent', image: `${image.split('/')[0] ?? ''}/nowhere/agent:1` }),
  gated: (spec) => ({ ...spec, schedulingGates: [{ name: 'kpackless.dev/held' }] }),
  'no-such-image': inStep('analyze', (step) => ({ ...step, image: `${image.split('/')[0] ?? ''}/nowhere/builder:1` })),
  'invalid-image': inStep('analyze', (step) => ({ ...step, image: 'NOT/valid::name' })),
  'never-pull': inStep('analyze', (step) => ({
    ...step,
    image: `${image.split('/')[0] ?? ''}/nowhere/builder:2`,
    imagePullPolicy: 'Never',
  })),
  'missing-env': inStep('prepare', (step) => ({ ...step, envFrom: [{ secretRef: { name: 'not-there' } }] })),
  'no-such-program': inStep('detect', (step) => ({ ...step, command: ['/no/such/program'] })),
  'no-such-folder': mounting({ name: 'agent', hostPath: { path: '/no/such/folder', type: 'Directory' } }),
  'no-config-map': mounting({ name: 'agent', configMap: { name: 'not-there' } }),
});
