/** The cap on running builds as Builds meet it (DESIGN §3.16). */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CapPorts } from '../../../lib/builds/cap.ts';
import { buildWaker } from '../../../lib/builds/wake.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import type { Message } from '../../../lib/queue/message.ts';
import { holdersSortKey, type SlotUser, slotsKey } from '../../../lib/state/keys.ts';
import { Slots } from '../../../lib/state/slots.ts';
import type { Table } from '../../../lib/state/table.ts';
import { runPass } from '../../support/run-pass.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';
import { buildB, rebaseB } from './base-build.ts';
import { type BuildWorld, buildWorld, namespace, podPath, pods, succeededPod } from './build-world.ts';

let tables: StateTables;
beforeAll(async () => {
  tables = await stateTables();
});
afterAll(() => tables[Symbol.asyncDispose]());

const builds = `/apis/kpack.io/v1alpha2/namespaces/${namespace}/builds`;
const waiterKey = { kind: 'Build', namespace, name: 'waiter' };
const waiterPod = `${pods}/waiter-build-pod`;

interface CapWorld extends BuildWorld {
  readonly woken: SlotUser[];
  readonly table: Table;
  /** A pass of the second Build, which was made a minute later. */
  waiterPass(now?: Date): ReturnType<BuildWorld['pass']>;
  waiter(): Record<string, unknown>;
  holders(scope?: Parameters<typeof slotsKey>[0]): Promise<unknown>;
}

const capWorld = async (
  limits: Pick<CapPorts, 'perInstallation' | 'perNamespace'>,
  options: Parameters<typeof buildWorld>[0] = {},
): Promise<CapWorld> => {
  const table = await tables.empty();
  const woken: SlotUser[] = [];
  const world = buildWorld({
    ...options,
    cap: {
      ...limits,
      slots: new Slots(table, () => new Date()),
      kube: () => Promise.reject(new KubeError('unreachable', 'the other cluster is down')),
      wake: (user) => {
        woken.push(user);
        return Promise.resolve();
      },
    },
  });
  world.cluster.put(
    builds,
    buildB({}, { name: 'waiter', uid: 'waiter-uid', creationTimestamp: '1944-06-06T13:31:00Z', generation: 1 }),
  );
  return {
    ...world,
    woken,
    table,
    waiterPass: (now) => runPass(world.reconciler, world.cluster.kube, waiterKey, now === undefined ? {} : { now }),
    waiter: () => {
      const { conditions } = world.cluster.at(`${builds}/waiter`).status as { conditions: Record<string, unknown>[] };
      const { lastTransitionTime: _, ...rest } = conditions[0] ?? {};
      return rest;
    },
    holders: async (scope = 'installation') => (await table.get(slotsKey(scope), holdersSortKey))?.['holders'] ?? [],
  };
};

const endedPod: Pod['status'] = succeededPod();

describe('the cap on running builds', () => {
  it('without limits asks and writes nothing', async () => {
    const world = await capWorld({});
    await world.pass();
    await world.waiterPass();
    expect([world.cluster.has(podPath), world.cluster.has(waiterPod)]).toEqual([true, true]);
    expect((await world.table.queryPartition(slotsKey('installation'), { limit: 1 })).items).toEqual([]);
  });

  it.each([
    ['perNamespace', 'in namespace some-namespace (KPACKLESS_MAX_BUILDS_PER_NAMESPACE)', ''],
    ['perInstallation', 'in this installation (KPACKLESS_MAX_BUILDS)', '; namespaces take turns'],
  ] as const)('%s keeps a Build without a pod, and its condition says why', async (limit, where, turns) => {
    const world = await capWorld({ [limit]: 1 });
    await world.pass();
    expect(await world.waiterPass()).toMatchObject({ outcome: { done: false, afterSeconds: 60 } });
    expect(world.cluster.has(waiterPod)).toBe(false);
    expect(world.waiter()).toEqual({
      type: 'Succeeded',
      status: 'Unknown',
      reason: 'Queued',
      message: `at most 1 build may run at once ${where}, now build-name; 0 of this namespace wait before this one${turns}`,
    });
    const writes = world.cluster.writes().length;
    await world.waiterPass();
    expect(world.cluster.writes()).toHaveLength(writes);
  });

  it('hands the slot of a Build that ended to the next, wakes it, and its pod is made', async () => {
    const world = await capWorld({ perInstallation: 1, perNamespace: 1 });
    await world.pass();
    await world.waiterPass();
    world.podSays(endedPod);
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'True' });
    expect(world.woken.map(({ name }) => name)).toEqual(['waiter']);
    await world.waiterPass();
    expect(world.cluster.has(waiterPod)).toBe(true);
    expect(world.waiter()).toEqual({ type: 'Succeeded', status: 'Unknown' });
    expect(await world.holders()).toEqual([`test#${namespace}#waiter#waiter-uid`]);
  });

  it('gives a slot back though the pass that saw the end died before it could say so', async () => {
    const world = await capWorld({ perInstallation: 1 });
    await world.pass();
    await world.waiterPass();
    world.podSays(endedPod);
    world.cluster.failNext('PUT', '/status', 503);
    expect(await world.pass()).toMatchObject({ outcome: { code: 'server' } });
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'True' });
    expect(world.woken.map(({ name }) => name)).toEqual(['waiter']);
  });

  it('takes the slot from a holder that was deleted, within a minute', async () => {
    const world = await capWorld({ perInstallation: 1 });
    await world.pass();
    await world.waiterPass(new Date('2026-11-21T09:00:00Z'));
    world.cluster.remove(`${builds}/build-name`);
    // Its pod still runs: the slot is not free yet.
    await world.waiterPass(new Date('2026-11-21T09:01:00Z'));
    expect(world.waiter()).toMatchObject({ reason: 'Queued' });
    world.cluster.remove(podPath);
    await world.waiterPass(new Date('2026-11-21T09:01:59Z'));
    expect(world.waiter()).toMatchObject({ reason: 'Queued' });
    await world.waiterPass(new Date('2026-11-21T09:02:00Z'));
    expect(world.cluster.has(waiterPod)).toBe(true);
  });

  it('believes that a holder lives whose cluster cannot be asked', async () => {
    const world = await capWorld({ perInstallation: 1 });
    const elsewhere = { cluster: 'other', namespace: 'n', name: 'b', uid: 'u' };
    await new Slots(world.table, () => new Date()).take(
      { scope: 'installation', limit: 1 },
      { user: elsewhere, since: '' },
    );
    await world.pass();
    expect(world.condition()).toMatchObject({ reason: 'Queued' });
    expect(world.condition()['message']).not.toContain('now b');
    expect(await world.holders()).toEqual(['other#n#b#u']);
  });

  it('is not held by a Build that can never run', async () => {
    const world = await capWorld({ perInstallation: 1 });
    world.cluster.failNext('POST', '/pods', 422, { message: 'is invalid' });
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'False' });
    expect(await world.holders()).toEqual([]);
  });

  it('is not held by a Build that waits for people, and is by one whose pod may have been made', async () => {
    const world = await capWorld({ perInstallation: 1 });
    world.cluster.failNext('POST', '/pods', 403, { message: 'exceeded quota' });
    await world.pass();
    expect(await world.holders()).toEqual([]);
    world.cluster.failNext('POST', '/pods', 503);
    await world.pass();
    expect(await world.holders()).toEqual([`test#${namespace}#build-name#build-uid`]);
  });

  it('does not count a rebase in the registry', async () => {
    const { spec, metadata } = rebaseB();
    const world = await capWorld(
      { perInstallation: 1 },
      { spec, metadata: { annotations: metadata.annotations ?? {} } },
    );
    await world.waiterPass();
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'True', reason: 'Completed' });
  });
});

describe('the wake-up of a Build that was given a slot', () => {
  it('goes to its own cluster, and is another one each time', async () => {
    const sent: Message[] = [];
    const wake = buildWaker({
      send: (queue, messages) => {
        expect(queue).toBe('build');
        sent.push(...messages);
        return Promise.resolve();
      },
    });
    const user = { cluster: 'other', namespace: 'n', name: 'b', uid: 'u' };
    await wake(user, buildB());
    await wake(user, buildB());
    expect(sent[0]).toMatchObject({
      cluster: 'other',
      target: { kind: 'Build', namespace: 'n', name: 'b' },
      cause: { name: 'build-name', uid: 'build-uid' },
      reason: 'dependency',
    });
    expect(sent[0]?.occasion).not.toBe(sent[1]?.occasion);
  });
});

describe('a Build that is interrupted', () => {
  const settle = async (world: CapWorld): Promise<void> => {
    for (let attempts = 0; attempts < 6; attempts += 1)
      if (!((await world.pass({ attempts })).outcome instanceof Error)) return;
    throw new Error('no pass came to an answer');
  };
  const story = async (world: CapWorld): Promise<void> => {
    await settle(world);
    if (!world.cluster.has(podPath)) return;
    await world.waiterPass();
    world.podSays(endedPod);
    await settle(world);
  };

  it.each(['request', 'answer'] as const)(
    'wherever one %s is lost, holds no slot in the end and has handed it on once',
    async (what) => {
      const untouched = await capWorld({ perInstallation: 1, perNamespace: 1 });
      await story(untouched);
      for (let number = 0; number < untouched.cluster.requests.length; number += 1) {
        const world = await capWorld({ perInstallation: 1, perNamespace: 1 });
        world.cluster.lose(number, what);
        await story(world);
        const holders = await world.holders();
        expect(JSON.stringify(holders), `request ${number}`).not.toContain('build-uid');
        await world.waiterPass();
        await world.waiterPass();
        expect(world.cluster.has(waiterPod), `request ${number}`).toBe(true);
      }
    },
  );
});
