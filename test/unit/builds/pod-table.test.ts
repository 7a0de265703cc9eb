/** Each row of the table in docs/builds.md, with the object as a real Kubernetes wrote it, or its source writes it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import { disruptionRows } from '../../../lib/builds/disruption.ts';
import { type Fate, type PodRow, podRows, podTable } from '../../../lib/builds/pod-table.ts';
import { notRecorded } from '../../recorded/not-recorded.ts';
import { disruptionTarget, endedPods } from '../../support/ended-pods.ts';
import { recordedPods } from '../../support/recorded-pods.ts';
import {
  type BuildWorld,
  buildWorld,
  ended,
  lifecycleSteps,
  namespace,
  podPath,
  pods,
  status,
  type WorldOptions,
} from './build-world.ts';
import { at, deletedAt, recordedWorld, startedAt } from './recorded-world.ts';

/** What a row is shown by without a recording: the pod and a log, or what POST is answered with. */
interface Shown {
  readonly pod?: NonNullable<Pod['status']>;
  readonly log?: readonly [container: string, text: string];
  readonly options?: WorldOptions;
  readonly refused?: readonly [status: number, message: string];
  readonly metadata?: Partial<NonNullable<Pod['metadata']>>;
  readonly seconds?: number;
}

const stepsBut = (...last: readonly ReturnType<typeof ended>[]): NonNullable<Pod['status']> => ({
  phase: 'Failed',
  initContainerStatuses: [
    ...lifecycleSteps.filter((name) => last.every((one) => one.name !== name)).map((name) => ended(name)),
    ...last,
  ],
});
const failed = (name: string, exitCode: number) =>
  status(name, { terminated: { exitCode, reason: 'Error', finishedAt: '2026-11-21T09:00:10Z' } });
const plain: WorldOptions = { spec: { cache: {}, builder: { image: 'builder.example/b' } } };
const withCache: WorldOptions = {
  spec: { builder: { image: 'builder.example/b' }, cache: { volume: { persistentVolumeClaimName: 'gone' } } },
};
const registryCache: WorldOptions = {
  spec: { builder: { image: 'builder.example/b' }, cache: { registry: { tag: 'cache.example/cc:1' } }, lastBuild: {} },
};
const binds: WorldOptions = { spec: { ...plain.spec, cnbBindings: [{ name: 'b', metadataRef: { name: 'm' } }] } };
const pullsWith: WorldOptions = {
  spec: { ...plain.spec, builder: { image: 'builder.example/b', imagePullSecrets: [{ name: 'puller' }] } },
};
const configMaps = `/api/v1/namespaces/${namespace}/configmaps`;
const claims = `/api/v1/namespaces/${namespace}/persistentvolumeclaims`;

/** The row of the table of disruptions that a pod is told by. */
const firstRow = (pod: Pod): number => disruptionRows.findIndex(({ words }) => words(pod) !== undefined);

/** Rows that no recording shows, with what Kubernetes' source or a registry writes. */
const shown: Readonly<Record<string, Shown>> = {
  'tag immutable': {
    pod: stepsBut(failed('export', 62)),
    log: [
      'export',
      "ERROR: failed to export: TAG_INVALID: The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the repository is immutable.",
    ],
  },
  'not rebasable': { pod: { phase: 'Failed', initContainerStatuses: [failed('rebase', 46)] } },
  'cache image': {
    pod: stepsBut(failed('analyze', 1)),
    log: [
      'analyze',
      'ERROR: validating registry write access: ensure registry read/write access to cache.example/cc:1',
    ],
    options: registryCache,
  },
  ...Object.fromEntries(
    disruptionRows.flatMap(({ written }, row) =>
      written in notRecorded
        ? [[written, { pod: endedPods.find(({ status: pod }) => firstRow({ status: pod }) === row)?.status ?? {} }]]
        : [],
    ),
  ),
  'disrupted, node silent': {
    pod: { phase: 'Running', conditions: [disruptionTarget('EvictionByEvictionAPI', 'Eviction API: evicting')] },
    metadata: { deletionTimestamp: '2026-11-21T09:00:30Z', deletionGracePeriodSeconds: 30 },
    seconds: 3630,
  },
  policy: {
    refused: [422, "pods \"p\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"],
  },
  'class missing': { refused: [403, 'pods "p" is forbidden: no PriorityClass with name mine was found'] },
  quota: { refused: [403, 'pods "p" is forbidden: exceeded quota: q'] },
  invalid: { refused: [422, 'Pod "p" is invalid: spec.tolerations: Invalid value'] },
};

/** What the Build of a recording asks for, and what else there is. */
const worlds: Readonly<
  Record<string, { readonly options: WorldOptions; readonly prepare?: (world: BuildWorld) => void }>
> = {
  'foreign-cache': { options: withCache },
  unbound: { options: withCache },
  'no-claim': { options: withCache },
  'claim-taken-away': { options: withCache },
  'lost-volume': {
    options: withCache,
    prepare: (world) =>
      world.cluster.put(claims, {
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'gone', namespace },
        spec: { volumeName: 'cache-of-team' },
      } as object),
  },
  'no-pull-secret': { options: pullsWith },
  'no-config-map': { options: binds, prepare: (world) => world.cluster.remove(`${configMaps}/m`) },
  running: { options: { ...plain, settings: { buildSteps: 'parallel' } } },
  'others-keep-it-failed': { options: { ...plain, settings: { buildSteps: 'parallel' } } },
};

/** Reasons of containers, which the Build repeats, where they are not the row's one. */
const ownReasons: Readonly<Record<string, string>> = {
  'invalid-image': 'InvalidImageName',
  'never-pull': 'ErrImageNeverPull',
};

/** Seconds after the end of the grace period until a node is taken for silent. */
const silentSeconds: Readonly<Record<string, number>> = {
  'deleted, node silent': 600,
  'disrupted, node silent': 3600,
};
/** A pod that does not start is looked into after so many seconds. */
const startsWithinSeconds = 31;

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

const show = async ({ pod, log, options = plain, refused, metadata, seconds = 20 }: Shown): Promise<BuildWorld> => {
  const world = buildWorld(options);
  if (refused !== undefined)
    world.cluster.failNext('POST', '/pods', refused[0], {
      message: refused[1],
      reason: refused[0] === 422 ? 'Invalid' : 'Forbidden',
    });
  await world.pass({ now: at(0) });
  if (refused !== undefined) return world;
  if (pod !== undefined) world.podSays(pod);
  if (log !== undefined) world.cluster.setLog(podPath, ...log);
  if (metadata !== undefined) {
    const { metadata: had, ...rest } = world.cluster.at(podPath);
    world.cluster.put(pods, { ...rest, metadata: { ...had, ...metadata } });
  }
  await world.pass({ now: at(seconds) });
  return world;
};

const rowOf = (id: string): PodRow => {
  const row = podRows.find((one) => one.id === id);
  if (row === undefined) throw new Error(`there is no row ${id}`);
  return row;
};

/** What the row says becomes of the Build. */
const becomes = async (world: BuildWorld, { fate }: PodRow, from: number): Promise<void> => {
  const next = later[fate];
  if (next === undefined) return;
  await world.pass({ now: at(from + next.seconds) });
  const { hasPod, seconds: _, ...condition } = next;
  expect(world.condition()).toMatchObject(condition);
  expect(world.cluster.has(podPath)).toBe(hasPod);
};

describe('the table of docs/builds.md', () => {
  it.each(recordedPods.map((recorded) => [recorded.row, recorded.how, recorded.kubernetes, recorded] as const))(
    '%s: %s (recorded, Kubernetes %s)',
    async (id, _how, _version, recorded) => {
      const row = rowOf(id);
      const { options = plain, prepare } = worlds[recorded.name] ?? {};
      const hasWarning = recorded.events?.some(({ reason }) => reason === 'FailedMount') === true;
      const starts = hasWarning ? startedAt(recorded) + startsWithinSeconds : 0;
      const silent = silentSeconds[id];
      const atLeast = silent === undefined ? starts : (deletedAt(recorded) ?? 0) + silent;
      const { world, seconds } = await recordedWorld(recorded, options, { atLeast, prepare });
      if (id === 'deleted') {
        world.cluster.remove(podPath);
        await world.pass({ now: at(seconds + 1) });
      }
      expect(world.condition()).toMatchObject({ type: 'Succeeded', status: row.status });
      expect(world.condition()['reason'] ?? '').toBe(ownReasons[recorded.name] ?? row.reason);
      await becomes(world, row, seconds);
    },
  );

  it.each(Object.entries(shown))('%s (as its source writes it)', async (id, object) => {
    const row = rowOf(id);
    const world = await show(object);
    expect(world.condition()).toMatchObject({ type: 'Succeeded', status: row.status });
    expect(world.condition()['reason'] ?? '').toBe(row.reason);
    await becomes(world, row, 20);
  });

  it('has a recording for every row, or a reason why there is none', () => {
    const rows = new Set(recordedPods.map(({ row }) => row));
    expect(Object.keys(notRecorded).filter((row) => rows.has(row))).toEqual([]);
    expect([...rows, ...Object.keys(notRecorded)].toSorted()).toEqual(podRows.map(({ id }) => id).toSorted());
    expect(Object.keys(shown).toSorted()).toEqual(Object.keys(notRecorded).toSorted());
  });

  it('stands in docs/builds.md as it was made here: node infra/pod-table.ts writes it', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/builds.md'), 'utf8');
    expect(page).toContain(`<!-- pod table: node infra/pod-table.ts -->\n${podTable()}\n<!-- end of the pod table -->`);
  });
});
