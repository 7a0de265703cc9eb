/** Containers that others put into a build's pod neither take the blame nor keep the Build from its result. */
import type { ContainerState, Pod } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import { buildPod } from '../../../lib/builds/pod/build-pod.ts';
import { succeededFrom } from '../../../lib/builds/status.ts';
import { turnPatches } from '../../../lib/builds/turn-patches.ts';
import { buildB, contextB } from './base-build.ts';
import {
  buildWorld,
  completionMessage,
  ended,
  lifecycleSteps,
  podPath,
  pods,
  runs,
  status,
  type WorldOptions,
  waits,
} from './build-world.ts';

interface Injected {
  readonly name: string;
  readonly restartPolicy?: string;
}

/** A Build whose pod admission gave these init containers and regular ones. */
const injected = async (init: readonly Injected[], regular: readonly Injected[] = [], options: WorldOptions = {}) => {
  const world = buildWorld(options);
  await world.pass();
  const { spec, metadata, ...pod } = world.cluster.at(podPath) as Pod & {
    readonly metadata: { readonly name: string };
  };
  const { initContainers = [], containers } = spec ?? { containers: [] };
  world.cluster.put(pods, {
    ...pod,
    metadata,
    spec: { ...spec, initContainers: [...init, ...initContainers], containers: [...containers, ...regular] },
  } as object);
  // The pod as the API server gave it back when it was made.
  world.loseRecord();
  const says = async (podStatus: Pod['status']) => {
    world.podSays(podStatus);
    await world.pass();
    return world.condition();
  };
  return { world, says };
};
const deadline = ({ world }: Awaited<ReturnType<typeof injected>>) =>
  (world.cluster.at(podPath).spec as { readonly activeDeadlineSeconds?: number }).activeDeadlineSeconds;
const sidecars: WorldOptions = { settings: { injectedSidecars: true } };

describe('the blame', () => {
  it.each([
    ['a native sidecar that was killed', { restartPolicy: 'Always' }, 137, 'killed'],
    ['a native sidecar that ended badly', { restartPolicy: 'Always' }, 1, 'cannot reach the control plane'],
    ['an init container of others', {}, 1, 'some warning'],
  ])('is the step’s, not that of %s', async (_, more, exitCode, message) => {
    const { says } = await injected([{ name: 'istio-proxy', ...more }], [], sidecars);
    const said = await says({
      phase: 'Failed',
      initContainerStatuses: [ended('istio-proxy', exitCode, message)],
      containerStatuses: [ended('prepare'), ended('detect', 20)],
    });
    expect(said).toMatchObject({
      status: 'False',
      reason: 'Failed',
      message: expect.stringContaining('Container detect') as string,
    });
    expect(said['message']).not.toContain('istio-proxy');
  });

  it('is nobody’s when a native sidecar alone ended badly', async () => {
    const { says } = await injected([{ name: 'istio-proxy', restartPolicy: 'Always' }], [], sidecars);
    const said = await says({
      phase: 'Failed',
      message: 'the pod’s words',
      initContainerStatuses: [ended('istio-proxy', 137, 'x')],
    });
    expect(said).toMatchObject({ status: 'False', message: 'the pod’s words' });
  });
});

describe('an exit code', () => {
  const said = async (terminated: NonNullable<ContainerState['terminated']>) => {
    const world = buildWorld();
    await world.pass();
    world.podSays({
      phase: 'Failed',
      initContainerStatuses: [ended('prepare'), status('build', { terminated })],
    });
    await world.pass();
    return String(world.condition()['message']);
  };

  it('of a step that was killed for memory says so, whatever number it is', async () => {
    expect(await said({ exitCode: 137, reason: 'OOMKilled' })).toContain('too little memory');
    expect(await said({ exitCode: 51, reason: 'OOMKilled' })).toContain('too little memory');
  });

  it('of a step that was killed for something else does not guess at memory', async () => {
    expect(await said({ exitCode: 137, reason: 'Error' })).toMatch(/exit code 137: it was killed$/u);
    expect(await said({ exitCode: 128, reason: 'StartError' })).toContain('the node could not start it');
  });
});

describe('the result', () => {
  const running = runs('istio-proxy');
  it.each([
    ['ended well', ended('completion', 0, completionMessage()), 'True'],
    ['failed', ended('completion', 1), 'False'],
  ])(
    'is there at once when completion %s and a container of others runs on, and the pod is ended',
    async (_, completion, wanted) => {
      const made = await injected([], [{ name: 'istio-proxy' }], sidecars);
      const steps = lifecycleSteps.map((name) => ended(name));
      const said = await made.says({ phase: 'Running', containerStatuses: [...steps, completion, running] });
      expect(said).toMatchObject({ status: wanted });
      expect(deadline(made)).toBe(1);
    },
  );

  it.each([
    ['all at once', 'parallel'],
    ['one after another', 'sequential'],
  ] as const)('is there and the pod is ended without the switch too, with steps %s', (_, buildSteps) => {
    const pod = buildPod(buildB(), contextB({ settings: { buildSteps } }));
    const steps = lifecycleSteps.map((name) => ended(name));
    const isInit = buildSteps === 'sequential';
    const seen = (exitCode: number): Pod => ({
      ...pod,
      status: {
        phase: 'Running',
        initContainerStatuses: isInit ? steps : [],
        containerStatuses: [...(isInit ? [] : steps), ended('completion', exitCode), running],
      },
    });
    expect([succeededFrom(seen(0)).status, succeededFrom(seen(1)).status]).toEqual(['True', 'False']);
    for (const exitCode of [0, 1])
      expect(turnPatches(seen(exitCode), { now: new Date() })).toMatchObject([{ spec: { activeDeadlineSeconds: 1 } }]);
  });

  it('is not waited for longer by a pod that others do not keep', async () => {
    const world = buildWorld();
    await world.pass();
    world.podSays({
      phase: 'Running',
      initContainerStatuses: lifecycleSteps.map((name) => ended(name)),
      containerStatuses: [ended('completion', 1)],
    });
    const before = world.cluster.requests.length;
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'Unknown' });
    expect(world.cluster.requests.slice(before).filter(({ method }) => method === 'PATCH')).toEqual([]);
  });
});

describe('steps that wait for sidecars', () => {
  const all = [...lifecycleSteps, 'completion'];
  it.each([
    ['ended at once, well', 0],
    ['ended at once, badly', 1],
  ])('start though one %s', async (_, exitCode) => {
    const { world, says } = await injected([], [{ name: 'setup' }, { name: 'istio-proxy' }], sidecars);
    await says({
      phase: 'Running',
      containerStatuses: [...all.map(runs), ended('setup', exitCode), runs('istio-proxy')],
    });
    expect(world.cluster.at(podPath).metadata['annotations']).toMatchObject({ 'build.kpack.io/ready': 'true' });
  });

  it('do not start before each runs or has ended', async () => {
    const { world, says } = await injected([], [{ name: 'setup' }, { name: 'istio-proxy' }], sidecars);
    await says({
      phase: 'Pending',
      containerStatuses: [...all.map(runs), ended('setup', 0), waits('istio-proxy', 'ContainerCreating')],
    });
    expect(world.cluster.at(podPath).metadata['annotations']).not.toHaveProperty(['build.kpack.io/ready']);
  });
});

describe('sidecars', () => {
  it.each([
    [['some-namespace'], 7],
    [['other'], 1],
  ])('are lived with in the namespaces of the setting %j', async (sidecarNamespaces, containers) => {
    const world = buildWorld({ sidecarNamespaces });
    await world.pass();
    expect((world.cluster.at(podPath).spec as { readonly containers: object[] }).containers).toHaveLength(containers);
  });

  it('are waited for where the pod was made for it, and nowhere else, whatever is switched on now', () => {
    const beside = buildPod(buildB(), contextB({ settings: { injectedSidecars: true } }));
    const parallel = buildPod(buildB(), contextB({ settings: { buildSteps: 'parallel' } }));
    const ready = (pod: Pod) =>
      turnPatches(
        { ...pod, status: { phase: 'Running', containerStatuses: [...lifecycleSteps, 'completion'].map(runs) } },
        { now: new Date() },
      );
    expect([ready(beside), ready(parallel)]).toEqual([
      [{ metadata: { annotations: { 'build.kpack.io/ready': 'true' } } }],
      [],
    ]);
  });
});
