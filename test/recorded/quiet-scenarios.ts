/** Scenarios that happen beside each other: none of them touches the node. */
import { cachedBy, claimOf, foreignCache, lostVolume } from './claims.ts';
import { both, endedFor, hasPhase, isDisrupted, type Scenario, waitsFor } from './scenario.ts';
import { ask, bind, evict, namespaceOf, pathOf, podOf, runs, type Stage, type WantedBuild } from './stage.ts';

const slow: WantedBuild['files'] = { 'slow-build': '300' };
const isUnscheduled =
  (reason: string): Scenario['is'] =>
  ({ status }) =>
    status?.conditions?.some(
      ({ type, status: is, reason: why }) => type === 'PodScheduled' && is === 'False' && why === reason,
    ) ?? false;
const ends = hasPhase('Failed');
const isDeleting: Scenario['is'] = ({ metadata }) => metadata?.deletionTimestamp !== undefined;
const hasEnded =
  (name: string, exitCode: number): Scenario['is'] =>
  ({ status }) =>
    [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].some(
      (one) => one.name === name && one.state?.terminated?.exitCode === exitCode,
    );

const deleteNow = (stage: Stage, build: string): Promise<void> => ask(stage, 'DELETE', pathOf(build));

const once =
  (isSo: Scenario['is'], act: (stage: Stage, build: string) => Promise<void>): NonNullable<Scenario['act']> =>
  async (stage, build) => {
    await podOf(stage, build, isSo);
    await act(stage, build);
  };

/** Two priority classes, and one place on the node. */
const onePlace = async (stage: Stage): Promise<void> => {
  for (const [name, value] of [
    ['recorded-low', 1],
    ['recorded-high', 1000],
  ] as const)
    await ask(stage, 'POST', '/apis/scheduling.k8s.io/v1/priorityclasses', {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name },
      value,
    });
  await ask(stage, 'PATCH', '/api/v1/nodes/node1/status', { status: { capacity: { 'kpackless.dev/place': '1' } } });
};

const place = { requests: { 'kpackless.dev/place': '1' }, limits: { 'kpackless.dev/place': '1' } };

/** A pod that needs the one place there is, and may push others aside. */
const pushAside = (stage: Stage, build: string): Promise<void> =>
  ask(stage, 'POST', `/api/v1/namespaces/${namespaceOf(build)}/pods`, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'important' },
    spec: {
      priorityClassName: 'recorded-high',
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'it', image: stage.suite.images.run, command: ['sleep', '600'], resources: place }],
    },
  });

/** All of them. */
export const quietScenarios: readonly Scenario[] = [
  { name: 'succeeded', row: 'succeeded', how: 'a good build', build: {}, is: hasPhase('Succeeded') },
  {
    name: 'plain-sidecar',
    row: 'steps well',
    how: 'a good build beside a container that never ends',
    build: { inject: 'plain-sidecar' },
    is: both(hasPhase('Running'), hasEnded('completion', 0)),
  },
  {
    name: 'others-keep-it',
    row: 'others keep it',
    how: 'a good build beside a container that never ends',
    build: { inject: 'plain-sidecar' },
    is: both(hasPhase('Running'), hasEnded('completion', 0)),
  },
  {
    name: 'native-sidecar',
    row: 'succeeded',
    how: 'a good build after a native sidecar',
    build: { inject: 'native-sidecar' },
    is: hasPhase('Succeeded'),
  },
  {
    name: 'step-failed',
    row: 'step failed',
    how: 'a buildpack that fails',
    build: { files: { 'fail-build': '' } },
    is: ends,
    log: 'build',
  },
  {
    name: 'out-of-memory',
    row: 'out of memory',
    how: 'a buildpack that takes more memory than limits.memory',
    build: {
      files: { 'build-script': 'dd if=/dev/zero of=/dev/null bs=900M count=2\n' },
      spec: { resources: { requests: { memory: '100Mi' }, limits: { memory: '300Mi' } } },
    },
    is: ends,
    log: 'build',
  },
  {
    name: 'cannot-start',
    row: 'cannot start',
    how: 'a policy that gives step detect a command that is not there',
    build: { inject: 'no-such-program' },
    is: ends,
  },
  {
    name: 'commit-gone',
    row: 'commit gone',
    how: 'a commit that the git host does not have',
    build: {
      more: ({ suite }, name) => ({
        source: { git: { url: `http://${suite.cluster.gitHost}/recorded-${name}.git`, revision: 'f'.repeat(40) } },
      }),
    },
    is: ends,
    log: 'prepare',
  },
  {
    name: 'foreign-cache',
    before: foreignCache,
    row: 'cache of another user',
    how: 'a claim whose folder belongs to root',
    build: { spec: cachedBy('foreign-cache') ?? {} },
    is: ends,
    log: 'restore',
  },
  {
    name: 'deadline',
    row: 'deadline',
    how: 'spec.activeDeadlineSeconds',
    build: { files: slow, spec: { activeDeadlineSeconds: 45 } },
    is: ends,
    log: 'build',
  },
  {
    name: 'own-limit',
    row: 'own limit',
    how: 'a source larger than limits.ephemeral-storage',
    build: {
      files: { ...slow, big: 'x'.repeat(300_000) },
      spec: { resources: { limits: { 'ephemeral-storage': '100Ki' } } },
    },
    is: ends,
    seconds: 150,
  },
  {
    name: 'deleted',
    row: 'deleted',
    how: 'kubectl delete pod',
    build: { files: slow },
    act: once(runs('build'), deleteNow),
    is: isDeleting,
  },
  {
    name: 'evicted',
    row: 'condition `DisruptionTarget`, `EvictionByEvictionAPI`',
    how: 'the eviction API, as kubectl drain asks for it',
    build: { files: slow },
    act: once(runs('build'), evict),
    is: both(ends, isDisrupted('EvictionByEvictionAPI')),
  },
  {
    name: 'being-evicted',
    row: 'disrupted, running',
    how: 'the eviction API; before the grace period is over',
    build: { files: slow },
    act: once(runs('build'), evict),
    is: both((pod) => !ends(pod), isDisrupted('EvictionByEvictionAPI')),
  },
  {
    name: 'preempted',
    before: onePlace,
    row: 'condition `DisruptionTarget`, `PreemptionByScheduler`',
    how: 'a pod of a higher priority class that needs its place',
    build: { files: slow, spec: { priorityClassName: 'recorded-low', resources: place } },
    act: once(runs('build'), pushAside),
    is: both(ends, isDisrupted('PreemptionByScheduler')),
  },
  {
    name: 'running-in-sequence',
    row: 'running in sequence',
    how: 'a build',
    build: { files: slow },
    is: runs('build'),
  },
  {
    name: 'running',
    row: 'running',
    how: 'a build whose steps start at once',
    build: { files: slow, annotations: { 'image.kpack.io/buildSteps': 'parallel' } },
    is: both(hasPhase('Running'), runs('build')),
  },
  {
    name: 'unschedulable',
    row: 'unschedulable',
    how: 'a node selector that no node has',
    build: { spec: { nodeSelector: { 'kpackless.dev/nowhere': 'x' } } },
    is: isUnscheduled('Unschedulable'),
  },
  {
    name: 'gated',
    row: 'gated',
    how: 'an injected scheduling gate',
    build: { inject: 'gated' },
    is: isUnscheduled('SchedulingGated'),
  },
  {
    name: 'no-scheduler',
    row: 'no scheduler',
    how: 'spec.schedulerName of none',
    build: { spec: { schedulerName: 'nobody' } },
    is: hasPhase('Pending'),
  },
  {
    name: 'unbound',
    before: claimOf('unbound', { storageClassName: 'nobody-makes-these' }),
    row: 'claim unschedulable',
    how: 'a claim of a class that nobody serves',
    build: { spec: cachedBy('unbound') ?? {} },
    is: isUnscheduled('Unschedulable'),
  },
  {
    name: 'no-claim',
    row: 'claim unschedulable',
    how: 'a claim that does not exist',
    build: { spec: cachedBy('never-made') ?? {} },
    is: isUnscheduled('Unschedulable'),
  },
  {
    name: 'no-such-image',
    row: 'image pull',
    how: 'an image that the registry does not have',
    build: { inject: 'no-such-image' },
    is: waitsFor('ImagePullBackOff'),
  },
  {
    name: 'invalid-image',
    row: 'image pull',
    how: 'a name that is none',
    build: { inject: 'invalid-image' },
    is: waitsFor('InvalidImageName'),
  },
  {
    name: 'never-pull',
    row: 'image pull',
    how: 'imagePullPolicy Never',
    build: { inject: 'never-pull' },
    is: waitsFor('ErrImageNeverPull'),
  },
  {
    name: 'missing-env',
    row: 'container creation',
    how: 'an injected variable of a Secret that is not there',
    build: { inject: 'missing-env' },
    is: waitsFor('CreateContainerConfigError'),
  },
  {
    name: 'looping-sidecar',
    row: 'sidecar loops',
    how: 'a native sidecar that fails before its startup probe succeeds',
    build: { inject: 'looping-sidecar' },
    is: ({ status }) =>
      status?.initContainerStatuses?.some(
        ({ restartCount, state }) => restartCount > 1 && state?.terminated !== undefined,
      ) ?? false,
  },
  {
    name: 'starting',
    row: 'starting',
    how: 'a build that its node has just taken',
    build: {},
    is: both(hasPhase('Pending'), waitsFor('PodInitializing'), ({ status }) => status?.startTime !== undefined),
  },
  {
    name: 'no-pull-secret',
    row: 'secret missing',
    how: 'spec.builder.imagePullSecrets with a Secret that is not there',
    build: { more: ({ builder }) => ({ builder: { image: builder, imagePullSecrets: [{ name: 'puller' }] } }) },
    is: both(hasPhase('Pending'), waitsFor('PodInitializing')),
    event: 'FailedMount',
  },
  {
    name: 'no-config-map',
    row: 'config map missing',
    how: 'an injected volume of a ConfigMap that is not there',
    build: { inject: 'no-config-map' },
    is: both(hasPhase('Pending'), waitsFor('PodInitializing')),
    event: 'FailedMount',
  },
  {
    name: 'claim-taken-away',
    before: claimOf('taken-away'),
    row: 'claim missing',
    how: 'the claim, deleted before a node had the pod',
    build: { spec: { schedulerName: 'nobody', ...cachedBy('taken-away') } },
    act: once(hasPhase('Pending'), async (stage, build) => {
      const claim = `/api/v1/namespaces/${namespaceOf(build)}/persistentvolumeclaims/taken-away`;
      await ask(stage, 'PATCH', claim, { metadata: { finalizers: null } });
      await ask(stage, 'DELETE', claim);
      await bind(stage, build);
    }),
    is: both(hasPhase('Pending'), waitsFor('PodInitializing')),
    event: 'FailedMount',
  },
  {
    name: 'no-such-folder',
    row: 'mount fails',
    how: 'an injected volume of a folder that is not there',
    build: { inject: 'no-such-folder' },
    is: both(hasPhase('Pending'), waitsFor('PodInitializing')),
    event: 'FailedMount',
  },
  {
    name: 'lost-volume',
    before: lostVolume,
    row: 'cache mount fails',
    how: 'a claim on a volume that is not on the node',
    build: { spec: cachedBy('lost-volume') ?? {} },
    is: both(hasPhase('Pending'), waitsFor('PodInitializing')),
    event: 'FailedMount',
  },
  {
    name: 'others-keep-it-failed',
    row: 'others keep it, failed',
    how: 'a buildpack that fails beside a container that never ends',
    build: {
      inject: 'plain-sidecar',
      files: { 'fail-build': '' },
      annotations: { 'image.kpack.io/buildSteps': 'parallel' },
    },
    is: both(hasPhase('Running'), hasEnded('completion', 45)),
    log: 'build',
  },
  {
    name: 'sidecar-failed',
    row: 'sidecar failed',
    how: 'a native sidecar that ends badly when it is told to, beside a buildpack that fails',
    build: { inject: 'failing-sidecar', files: { 'fail-build': '' } },
    is: ends,
    log: 'build',
  },
  {
    name: 'others-cannot-start',
    row: 'others cannot start',
    how: 'an injected container whose image is not there',
    build: { inject: 'cannot-start', files: slow },
    is: both(runs('build'), waitsFor('ImagePullBackOff', 'ErrImagePull', 'PodInitializing')),
  },
  {
    name: 'others-end-badly',
    row: 'steps well',
    how: 'a good build beside a container that fails at once',
    build: { inject: 'fails-at-once' },
    is: both(ends, endedFor('Error'), hasEnded('completion', 0)),
  },
];
