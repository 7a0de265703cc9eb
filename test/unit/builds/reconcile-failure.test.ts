import { describe, expect, it } from 'vitest';
import { buildWorld, completionMessage, ended, lifecycleSteps, podPath, status, waits } from './build-world.ts';

const moreInfo = (container: string): string =>
  `: For more info use \`kubectl logs -n some-namespace build-name-build-pod -c ${container}\``;

/** The condition after the pod failed with this status. */
const conditionAfter = async (podStatus: object, logs: Readonly<Record<string, string>> = {}) => {
  const world = buildWorld();
  await world.pass();
  world.podSays({ phase: 'Failed', ...podStatus });
  for (const [container, text] of Object.entries(logs)) world.cluster.setLog(podPath, container, text);
  expect(await world.pass()).toMatchObject({ outcome: { done: true } });
  const { stepsCompleted } = world.build().status as { readonly stepsCompleted?: unknown };
  const said = world.condition();
  return { status: said['status'], reason: said['reason'], message: said['message'], stepsCompleted };
};
describe('a pod that failed', () => {
  it('02#141 02#143 03#173 tells the failed step, its message, its last log line and where to read on', async () => {
    const failed = await conditionAfter(
      {
        message: 'Something bad happened',
        initContainerStatuses: [ended('prepare', 1, 'no credentials'), waits('analyze', 'PodInitializing')],
      },
      { prepare: 'first\nlast words\n\n' },
    );
    expect(failed).toMatchObject({
      status: 'False',
      reason: 'Failed',
      message: `Error: Something bad happened no credentials last words${moreInfo('prepare')}`,
      stepsCompleted: [],
    });
  });

  it('02#142 says that a step without a message ended with an error', async () => {
    const { message } = await conditionAfter({ initContainerStatuses: [ended('prepare', 1)] }, { prepare: 'x' });
    expect(message).toBe(`Error:  Container prepare terminated with error x${moreInfo('prepare')}`);
  });

  it('02#144 tells a failed completion like any other step, unlike kpack', async () => {
    const containerStatuses = [ended('completion', 1, 'whole log')];
    const failed = await conditionAfter(
      { initContainerStatuses: lifecycleSteps.map((name) => ended(name)), containerStatuses },
      { completion: 'cosign sign: no key' },
    );
    expect(failed.message).toBe(
      `Error:  Container completion terminated with error cosign sign: no key${moreInfo('completion')}`,
    );
  });

  it('02#145 repeats the kubelet when no step failed', async () => {
    const message = 'The node was low on resource: memory.';
    expect(await conditionAfter({ reason: 'Evicted', message })).toMatchObject({
      status: 'False',
      reason: 'Failed',
      message,
    });
  });

  it('02#146 tells which step the deadline ended', async () => {
    const initContainerStatuses = [ended('prepare'), ended('build', 137)];
    const failed = await conditionAfter({ reason: 'DeadlineExceeded', initContainerStatuses }, { build: 'compiling' });
    expect(failed).toMatchObject({ status: 'False', message: expect.stringContaining('compiling') as string });
  });

  it('02#148 passes over a foreign init container that has nothing to say', async () => {
    const initContainerStatuses = [ended('foreign', 1), ...lifecycleSteps.map((name) => ended(name))];
    expect(await conditionAfter({ message: 'pod message', initContainerStatuses })).toMatchObject({
      message: 'pod message',
      stepsCompleted: [...lifecycleSteps],
    });
  });

  it('tells a foreign init container that says something', async () => {
    const { message } = await conditionAfter({ initContainerStatuses: [ended('foreign', 1, 'I refuse')] });
    expect(message).toContain('I refuse');
  });

  it('02#150 says that the log could not be read', async () => {
    const { message } = await conditionAfter({ initContainerStatuses: [ended('detect', 20)] });
    expect(message).toBe(
      `Error:  Container detect terminated with error could not retrieve container logs${moreInfo('detect')}`,
    );
  });

  it('02#151 strips colours and cuts the line at 800 bytes', async () => {
    const line = `\u001B[31;1m${'ä'.repeat(1000)}\u001B[0m`;
    const { message } = await conditionAfter({ initContainerStatuses: [ended('detect', 20)] }, { detect: line });
    expect(message).toContain(` ${'ä'.repeat(400)}: For more info`);
    expect(message).not.toContain('\u001B');
  });
});

describe('a pod with injected sidecars', () => {
  const steps = ['prepare', 'analyze', 'detect', 'restore', 'build', 'export', 'completion'];
  const patches = (world: ReturnType<typeof buildWorld>) =>
    world.cluster.writes().filter(({ method }) => method === 'PATCH').length;
  const sidecarWorld = async () => {
    const world = buildWorld({ settings: { injectedSidecars: true } });
    await world.pass();
    return world;
  };
  const running = (name: string) => status(name, { running: {} }, true);

  it('02#164 03#78 may start once every container runs, which is said once', async () => {
    const world = await sidecarWorld();
    world.podSays({ phase: 'Running', containerStatuses: steps.map(running) });
    await world.pass();
    expect(world.cluster.at(podPath).metadata).toMatchObject({ annotations: { 'build.kpack.io/ready': 'true' } });
    await world.pass();
    expect(patches(world)).toBe(1);
  });

  it('02#165 waits while one does not run', async () => {
    const world = await sidecarWorld();
    const containerStatuses = [...steps.slice(1).map(running), waits('prepare', 'ContainerCreating')];
    world.podSays({ phase: 'Pending', containerStatuses });
    await world.pass();
    expect(patches(world)).toBe(0);
  });

  it('02#166 02#167 03#79 03#80 is ended by a deadline after completion, and counts as built', async () => {
    const world = await sidecarWorld();
    const message = completionMessage();
    const containerStatuses = [ended('completion', 0, message), running('istio-proxy')];
    world.podSays({ phase: 'Running', containerStatuses });
    await world.pass();
    expect(world.cluster.at(podPath).spec).toMatchObject({ activeDeadlineSeconds: 1 });
    expect(world.build().status).toMatchObject({ stepsCompleted: ['completion'] });
    expect(world.condition()).toMatchObject({ status: 'Unknown' });
    await world.pass();
    expect(patches(world)).toBe(1);
    world.podSays({ phase: 'Failed', reason: 'DeadlineExceeded', containerStatuses });
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'True', reason: 'Completed' });
  });

  it('02#168 tells the step that failed first, unlike kpack', async () => {
    const world = await sidecarWorld();
    world.podSays({ phase: 'Failed', containerStatuses: [ended('analyze'), ended('detect', 1), ended('build', 1)] });
    world.cluster.setLog(podPath, 'detect', 'no buildpacks participating');
    await world.pass();
    expect(world.condition()['message']).toBe(
      `Error:  Container detect terminated with error no buildpacks participating${moreInfo('detect')}`,
    );
  });
});
