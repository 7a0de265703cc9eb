/** Each row of the table in docs/builds.md, with the object as Kubernetes writes it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import { disruptionRows } from '../../../lib/builds/disruption.ts';
import { type Fate, podRows, podTable } from '../../../lib/builds/pod-table.ts';
import { disruptionTarget, endedPods } from '../../support/ended-pods.ts';
import {
  type BuildWorld,
  buildWorld,
  completionMessage,
  ended,
  lifecycleSteps,
  namespace,
  podPath,
  pods,
  runs,
  secret,
  status,
  succeededPod,
  type WorldOptions,
  waits,
} from './build-world.ts';

const at = (seconds: number) => new Date(Date.parse('2026-11-21T09:00:00Z') + seconds * 1000);
const began = '2026-11-21T09:00:00Z';

/** What a row is shown by: the pod, and what else there is. Times are seconds after 09:00:00, at which the pod was made. */
interface Shown {
  readonly pod?: NonNullable<Pod['status']>;
  readonly metadata?: Partial<NonNullable<Pod['metadata']>>;
  readonly log?: readonly [container: string, text: string];
  readonly event?: readonly [reason: string, message: string];
  readonly options?: WorldOptions;
  /** The pod is gone, or POST is answered with this. */
  readonly gone?: true;
  readonly refused?: readonly [status: number, message: string];
  readonly seconds?: number;
  readonly prepare?: (world: BuildWorld) => void;
}

const stepsBut = (...last: readonly ReturnType<typeof ended>[]): NonNullable<Pod['status']> => ({
  phase: 'Failed',
  initContainerStatuses: [
    ...lifecycleSteps.filter((name) => last.every((one) => one.name !== name)).map((name) => ended(name)),
    ...last,
  ],
});
const failed = (name: string, exitCode: number, reason = 'Error') =>
  status(name, { terminated: { exitCode, reason, startedAt: began, finishedAt: '2026-11-21T09:00:10Z' } });
const scheduled = { type: 'PodScheduled', status: 'True', lastTransitionTime: began };
const homeless = (reason: string, message: string): NonNullable<Pod['status']> => ({
  phase: 'Pending',
  conditions: [{ type: 'PodScheduled', status: 'False', reason, message, lastTransitionTime: began }],
});
const starting: NonNullable<Pod['status']> = {
  phase: 'Pending',
  startTime: began,
  conditions: [scheduled],
  initContainerStatuses: [waits('prepare', 'PodInitializing')],
  containerStatuses: [waits('completion', 'PodInitializing')],
};
const stuck = (name: string, reason: string): NonNullable<Pod['status']> => ({
  ...starting,
  initContainerStatuses: [waits(name, reason, 'why'), waits('analyze', 'PodInitializing')],
});
const plain: WorldOptions = { spec: { cache: {}, builder: { image: 'builder.example/b' } } };
const withCache: WorldOptions = {
  spec: { builder: { image: 'builder.example/b' }, cache: { volume: { persistentVolumeClaimName: 'gone' } } },
};
const registryCache: WorldOptions = {
  spec: { builder: { image: 'builder.example/b' }, cache: { registry: { tag: 'cache.example/cc:1' } }, lastBuild: {} },
};
const beside: WorldOptions = { settings: { injectedSidecars: true }, spec: { cache: {} } };
const deleting = { deletionTimestamp: '2026-11-21T09:00:30Z', deletionGracePeriodSeconds: 30 };
const evicted = disruptionTarget('EvictionByEvictionAPI', 'Eviction API: evicting');
const binds: WorldOptions = { spec: { ...plain.spec, cnbBindings: [{ name: 'b', metadataRef: { name: 'm' } }] } };
const configMaps = `/api/v1/namespaces/${namespace}/configmaps`;

/** The row of the table of disruptions that a pod is told by. */
const firstRow = (pod: Pod): number => disruptionRows.findIndex(({ words }) => words(pod) !== undefined);

const shown: Readonly<Record<string, Shown>> = {
  succeeded: { pod: succeededPod() },
  'steps well': { pod: { ...succeededPod(), phase: 'Running' } },
  'step failed': { pod: stepsBut(failed('build', 51)) },
  'out of memory': { pod: stepsBut(failed('build', 137, 'OOMKilled')) },
  'cannot start': { pod: stepsBut(failed('detect', 128, 'StartError')) },
  'commit gone': { pod: stepsBut(failed('prepare', 44)) },
  'tag immutable': {
    pod: stepsBut(failed('export', 62)),
    log: [
      'export',
      "ERROR: failed to export: TAG_INVALID: The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the repository is immutable.",
    ],
  },
  'not rebasable': { pod: { phase: 'Failed', initContainerStatuses: [failed('rebase', 46)] } },
  'cache of another user': {
    pod: stepsBut(failed('restore', 1)),
    log: ['restore', 'ERROR: open /cache/committed: permission denied'],
    options: withCache,
  },
  'cache image': {
    pod: stepsBut(failed('analyze', 1)),
    log: [
      'analyze',
      'ERROR: validating registry write access: ensure registry read/write access to cache.example/cc:1',
    ],
    options: registryCache,
  },
  deadline: {
    pod: {
      ...stepsBut(failed('build', 137)),
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    },
  },
  'own limit': {
    pod: {
      ...stepsBut(failed('build', 137)),
      reason: 'Evicted',
      message: 'Usage of EmptyDir volume "layers-dir" exceeds the limit "1Gi". ',
    },
  },
  deleted: { gone: true },
  'deleted, node silent': { pod: { phase: 'Running' }, metadata: deleting, seconds: 630 },
  ...Object.fromEntries(
    disruptionRows.map(({ written }, row) => [
      written,
      { pod: endedPods.find(({ status: pod }) => firstRow({ status: pod }) === row)?.status ?? {} },
    ]),
  ),
  'disrupted, running': { pod: { phase: 'Running', conditions: [evicted] }, metadata: deleting },
  'disrupted, node silent': { pod: { phase: 'Running', conditions: [evicted] }, metadata: deleting, seconds: 3630 },
  running: { pod: { phase: 'Running', conditions: [scheduled], initContainerStatuses: [runs('prepare')] } },
  unschedulable: { pod: homeless('Unschedulable', '0/3 nodes are available: 3 Insufficient cpu.') },
  gated: { pod: homeless('SchedulingGated', 'Scheduling is blocked due to non-empty scheduling gates') },
  'no scheduler': { pod: { phase: 'Pending' }, metadata: { creationTimestamp: began } },
  'claim unschedulable': {
    pod: homeless('Unschedulable', '0/3 nodes are available: 3 node(s) had volume node affinity conflict.'),
    options: withCache,
  },
  'image pull': { pod: stuck('prepare', 'ImagePullBackOff') },
  'container creation': { pod: stuck('prepare', 'CreateContainerConfigError') },
  'sidecar loops': { pod: stuck('istio-proxy', 'CrashLoopBackOff') },
  starting: { pod: starting },
  'secret missing': {
    pod: starting,
    options: {
      spec: { ...plain.spec, builder: { image: 'builder.example/b', imagePullSecrets: [{ name: 'puller' }] } },
    },
    seconds: 31,
  },
  'config map missing': {
    pod: starting,
    options: binds,
    seconds: 31,
    prepare: (world) => world.cluster.remove(`${configMaps}/m`),
  },
  'claim missing': { pod: starting, options: withCache, seconds: 31 },
  'mount fails': {
    pod: starting,
    event: ['FailedMount', 'MountVolume.SetUp failed for volume "projected"'],
    seconds: 31,
  },
  'cache mount fails': {
    pod: starting,
    options: withCache,
    event: ['FailedMount', 'MountVolume.MountDevice failed for volume "pvc-1" : rpc error'],
    seconds: 31,
    prepare: (world) =>
      world.cluster.put(`/api/v1/namespaces/${namespace}/persistentvolumeclaims`, {
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'gone', namespace },
      }),
  },
  policy: {
    refused: [422, "pods \"p\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"],
  },
  'class missing': { refused: [403, 'pods "p" is forbidden: no PriorityClass with name mine was found'] },
  quota: { refused: [403, 'pods "p" is forbidden: exceeded quota: q'] },
  invalid: { refused: [422, 'Pod "p" is invalid: spec.tolerations: Invalid value'] },
  'others keep it': {
    pod: {
      phase: 'Running',
      containerStatuses: [
        ...lifecycleSteps.map((name) => ended(name)),
        ended('completion', 0, completionMessage()),
        runs('istio-proxy'),
      ],
    },
    options: beside,
  },
  'others keep it, failed': {
    pod: {
      phase: 'Running',
      containerStatuses: [...lifecycleSteps.map((name) => ended(name)), failed('completion', 1), runs('istio-proxy')],
    },
    options: beside,
  },
  'sidecar failed': {
    pod: {
      phase: 'Failed',
      initContainerStatuses: [failed('istio-init', 1)],
      containerStatuses: [failed('detect', 20)],
    },
    options: beside,
  },
  'others cannot start': {
    pod: {
      ...starting,
      initContainerStatuses: [ended('prepare'), runs('analyze')],
      containerStatuses: [waits('completion', 'PodInitializing'), waits('agent', 'ImagePullBackOff')],
    },
  },
};

/** Seconds after which the fate is to be seen, and what the Build and its pod are then. */
const later: Readonly<
  Record<
    Fate,
    | { readonly seconds: number; readonly status?: string; readonly reason?: string; readonly hasPod?: boolean }
    | undefined
  >
> = {
  end: undefined,
  'goes on': { seconds: 60, status: 'Unknown', hasPod: true },
  'another pod': { seconds: 700, hasPod: true },
  'another pod, once': { seconds: 22, hasPod: true },
  'five minutes, then another pod': { seconds: 305, status: 'Unknown', reason: 'WithoutCache', hasPod: false },
  'an hour, then its end': { seconds: 3605, status: 'False', hasPod: false },
  'six hours, then its end': { seconds: 6 * 3600 + 5, status: 'False', hasPod: false },
  'a day, then its end': { seconds: 24 * 3600 + 5, status: 'False', hasPod: false },
  'asked for again': { seconds: 60, hasPod: true },
};

const show = async ({
  pod,
  metadata,
  log,
  event,
  options = plain,
  gone,
  refused,
  seconds = 20,
  prepare,
}: Shown): Promise<BuildWorld> => {
  const world = buildWorld(options);
  const { path, object } = secret('m');
  world.cluster.put(path.replace('secrets', 'configmaps'), { ...object, kind: 'ConfigMap' });
  if (refused !== undefined)
    world.cluster.failNext('POST', '/pods', refused[0], {
      message: refused[1],
      reason: refused[0] === 422 ? 'Invalid' : 'Forbidden',
    });
  await world.pass({ now: at(0) });
  if (refused !== undefined) return world;
  if (pod !== undefined) world.podSays(pod);
  if (metadata !== undefined) {
    const { metadata: had, ...rest } = world.cluster.at(podPath);
    world.cluster.put(pods, { ...rest, metadata: { ...had, ...metadata } });
  }
  if (log !== undefined) world.cluster.setLog(podPath, ...log);
  if (event !== undefined) {
    const { uid } = world.cluster.at(podPath).metadata as { readonly uid?: string };
    const told = {
      kind: 'Event',
      metadata: { name: 'e', namespace },
      involvedObject: { uid },
      type: 'Warning',
      reason: event[0],
      message: event[1],
      lastTimestamp: began,
    };
    world.cluster.put(`/api/v1/namespaces/${namespace}/events`, told);
  }
  if (gone === true) world.cluster.remove(podPath);
  prepare?.(world);
  await world.pass({ now: at(seconds) });
  return world;
};

describe('the table of docs/builds.md', () => {
  it.each(podRows.map((row) => [row.id, row] as const))('%s', async (id, { status: wanted, reason, fate }) => {
    const object = shown[id] ?? {};
    const world = await show(object);
    expect(world.condition()).toMatchObject({ type: 'Succeeded', status: wanted });
    expect(world.condition()['reason'] ?? '').toBe(reason);
    const next = later[fate];
    if (next === undefined) return;
    await world.pass({ now: at(next.seconds) });
    const { hasPod, seconds: _, ...condition } = next;
    expect(world.condition()).toMatchObject(condition);
    expect(world.cluster.has(podPath)).toBe(hasPod);
  });

  it('has an object for every row, and a row for every object', () => {
    expect(Object.keys(shown).toSorted()).toEqual(podRows.map(({ id }) => id).toSorted());
  });

  it('stands in docs/builds.md as it was made here: node infra/pod-table.ts writes it', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/builds.md'), 'utf8');
    expect(page).toContain(`<!-- pod table: node infra/pod-table.ts -->\n${podTable()}\n<!-- end of the pod table -->`);
  });
});
