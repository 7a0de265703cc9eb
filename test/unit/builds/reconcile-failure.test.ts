import { describe, expect, it } from 'vitest';
import { lastWords } from '../../../lib/builds/last-words.ts';
import { overdue } from '../../../lib/builds/overdue.ts';
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
      message: `Error: Something bad happened no credentials last words${moreInfo('prepare')}; last lines of its log:\nfirst\nlast words`,
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

  it('02#145 repeats the kubelet when no step failed, and an eviction has a reason of its own, unlike in kpack', async () => {
    const message = 'The node was low on resource: memory.';
    const evicted = { status: 'False', reason: 'Evicted', message };
    expect(await conditionAfter({ reason: 'Evicted', message })).toMatchObject(evicted);
    expect(await conditionAfter({ reason: 'NodeAffinity', message })).toMatchObject({ ...evicted, reason: 'Failed' });
  });

  it.each(['Evicted', 'Preempting', 'Terminated', 'NodeShutdown'])(
    'that its node threw out (%s) says which step that ended, and does not guess at memory',
    async (reason) => {
      const initContainerStatuses = [ended('prepare'), ended('build', 137)];
      const message = 'Pod ephemeral local storage usage exceeds the total limit of containers 1Mi.';
      const failed = await conditionAfter({ reason, message, initContainerStatuses }, { build: 'writing' });
      expect(failed).toMatchObject({
        reason: 'Evicted',
        message: `Error: ${message} Container build terminated with error writing${moreInfo('build')}`,
      });
    },
  );

  it('02#146 tells which step the deadline ended, and whose deadline it was, with a reason of its own, unlike in kpack', async () => {
    const initContainerStatuses = [ended('prepare'), ended('build', 137)];
    const said = 'Pod was active on the node longer than the specified deadline';
    const podStatus = { reason: 'DeadlineExceeded', message: said, initContainerStatuses };
    expect(await conditionAfter(podStatus, { build: 'compiling' })).toMatchObject({
      status: 'False',
      reason: 'DeadlineExceeded',
      message: `Error: ${said} Container build terminated with error compiling${moreInfo('build')}; the time of the Build was over: give the Image a longer spec.build.buildTimeout`,
    });
    expect(await conditionAfter({ reason: 'DeadlineExceeded', message: said })).toMatchObject({
      reason: 'DeadlineExceeded',
      message: `${said}; the time of the Build was over: give the Image a longer spec.build.buildTimeout`,
    });
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
      `Error:  Container detect terminated with error could not retrieve container logs${moreInfo('detect')}; exit code 20: no group of buildpacks fits the source`,
    );
  });

  it('has a reason of its own when the git host no longer has the commit', async () => {
    const said = 'unable to fetch references for repository: there is no commit abc';
    const initContainerStatuses = [ended('prepare', 44)];
    expect(await conditionAfter({ initContainerStatuses }, { prepare: said })).toMatchObject({
      status: 'False',
      reason: 'CommitGone',
      message: expect.stringMatching(
        /there is no commit abc: .*; exit code 44: .* a force-push took it away/u,
      ) as string,
    });
    expect(await conditionAfter({ initContainerStatuses: [ended('build', 44)] })).toMatchObject({ reason: 'Failed' });
  });

  it('02#151 strips colours and cuts the line at 800 bytes', async () => {
    const line = `\u001B[31;1m${'ä'.repeat(1000)}\u001B[0m`;
    const { message } = await conditionAfter({ initContainerStatuses: [ended('detect', 20)] }, { detect: line });
    expect(message).toContain(` ${'ä'.repeat(400)}: For more info`);
    expect(message).not.toContain('\u001B');
  });
});

describe('the end of a log', () => {
  const failed = (exitCode: number) => ({ container: 'build', exitCode, message: '' });

  it('stays readable after the pod is gone: the last ten lines, at most 2000 bytes', () => {
    const log = Array.from({ length: 30 }, (_, n) => `line ${n}`).join('\n\n');
    expect(lastWords(failed(1), log)).toBe(
      `; last lines of its log:\n${Array.from({ length: 10 }, (_, n) => `line ${n + 20}`).join('\n')}`,
    );
    const long = Array.from({ length: 10 }, (_, n) => `${n}${'x'.repeat(790)}`).join('\n');
    expect(Buffer.byteLength(lastWords(failed(1), long))).toBeLessThan(2100);
    expect(lastWords(failed(1), long)).toContain('9xxx');
  });

  it.each([
    [20, 'no group of buildpacks fits the source'],
    [51, 'a buildpack failed'],
    [137, 'too little memory'],
  ])('says what exit code %i means', (code, meaning) => {
    expect(lastWords(failed(code), 'one line')).toContain(`; exit code ${code}: `);
    expect(lastWords(failed(code), 'one line')).toContain(meaning);
    expect(lastWords(failed(1), 'one line')).toBe('');
  });
});

describe('an exit code', () => {
  it.each([
    ['prepare', 44, 'a force-push took it away'],
    ['build', 44, ''],
    ['detect', 20, 'no group of buildpacks fits'],
    ['prepare', 20, ''],
    ['completion', 62, ''],
    ['foreign', 51, ''],
    ['extend-run', 102, 'a Dockerfile of an image extension failed'],
    ['foreign', 137, 'it was killed'],
  ])('of %s, %i, means %j', (container, exitCode, meaning) => {
    const said = lastWords({ container, exitCode, message: '' }, '');
    expect(said).toContain(meaning);
    expect(said === '').toBe(meaning === '');
  });
});

describe('a pod that will not end by itself', () => {
  const stuck = async (podStatus: object, now: string) => {
    const world = buildWorld();
    await world.pass();
    world.podSays({ phase: 'Pending', ...podStatus });
    await world.pass({ now: new Date(now) });
    return { ...world.condition(), hasPod: world.cluster.has(podPath) };
  };
  const unscheduled = {
    conditions: [
      {
        type: 'PodScheduled',
        status: 'False',
        reason: 'Unschedulable',
        message: '0/3 nodes are available',
        lastTransitionTime: '2026-11-20T10:00:00Z',
      },
    ],
  };
  const unpullable = {
    startTime: '2026-11-21T07:00:00Z',
    initContainerStatuses: [
      status('prepare', { terminated: { exitCode: 0, finishedAt: '2026-11-21T08:00:00Z' } }),
      waits('analyze', 'ImagePullBackOff', 'not found'),
    ],
  };

  it('for which there is no node is waited for, a day', async () => {
    expect(await stuck(unscheduled, '2026-11-21T09:59:00Z')).toMatchObject({
      status: 'Unknown',
      reason: 'Unschedulable',
      hasPod: true,
    });
    expect(await stuck(unscheduled, '2026-11-21T10:00:00Z')).toMatchObject({
      status: 'False',
      reason: 'Unschedulable',
      message: 'no node took pod build-name-build-pod for a day: 0/3 nodes are available',
      hasPod: false,
    });
  });

  it('whose image cannot be pulled is waited for, an hour since its turn came', async () => {
    expect(await stuck(unpullable, '2026-11-21T08:59:59Z')).toMatchObject({ status: 'Unknown', hasPod: true });
    expect(await stuck(unpullable, '2026-11-21T09:00:00Z')).toMatchObject({
      status: 'False',
      reason: 'ImagePullBackOff',
      message: 'container analyze could not start for an hour: not found',
      hasPod: false,
    });
  });

  it('that waits for the step before it is not stuck', async () => {
    const busy = {
      startTime: '2026-11-20T07:00:00Z',
      initContainerStatuses: [status('prepare', { running: {} }), waits('analyze', 'PodInitializing')],
    };
    expect(await stuck(busy, '2026-11-21T09:00:00Z')).toMatchObject({ status: 'Unknown', hasPod: true });
  });

  it('on a node that is lost counts as deleted after ten minutes', () => {
    const pod = { metadata: { name: 'p', deletionTimestamp: '2026-11-21T08:00:00Z' }, status: { phase: 'Running' } };
    expect(overdue(pod, new Date('2026-11-21T08:09:59Z'))).toBeUndefined();
    expect(overdue(pod, new Date('2026-11-21T08:10:00Z'))).toMatchObject({ status: 'False', reason: 'PodDeleted' });
    const ended = { ...pod, status: { phase: 'Succeeded' } };
    expect(overdue(ended, new Date('2026-11-21T09:00:00Z'))).toBeUndefined();
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

  it('02#168 tells the step that failed first, unlike kpack, though kubelets sort containers by name', async () => {
    const world = await sidecarWorld();
    const names = ['analyze', 'build', 'completion', 'detect', 'export', 'prepare', 'restore'];
    const ends = names.map((name) => ended(name, ['analyze', 'prepare'].includes(name) ? 0 : 1));
    world.podSays({ phase: 'Failed', containerStatuses: ends });
    world.cluster.setLog(podPath, 'detect', 'no buildpacks participating');
    await world.pass();
    expect(world.condition()['message']).toBe(
      `Error:  Container detect terminated with error no buildpacks participating${moreInfo('detect')}`,
    );
  });
});
