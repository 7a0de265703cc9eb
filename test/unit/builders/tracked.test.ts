/** What kpack keeps in its in-memory tracker are edges here (DESIGN §3.8): who is woken when something changes. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dependentsRunner } from '../../../lib/dependents/tell-dependents.ts';
import type { KubeClient } from '../../../lib/kube/client.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import type { Message } from '../../../lib/queue/message.ts';
import { passRunner } from '../../../lib/reconcile/run.ts';
import { Circuits } from '../../../lib/state/circuits.ts';
import type { Dependency, TargetKey } from '../../../lib/state/keys.ts';
import { Records } from '../../../lib/state/records.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';

let tables: StateTables;
beforeAll(async () => {
  tables = await stateTables();
});
afterAll(() => tables[Symbol.asyncDispose]());

const target = (kind: string, namespace: string, name: string): TargetKey => ({ cluster: 'c', kind, namespace, name });
const [mine, other] = [target('Builder', 'ns', 'mine'), target('Builder', 'ns', 'other')];
const stack = { kind: 'ClusterStack', namespace: '', name: 'stack' };
const account = { kind: 'ServiceAccount', namespace: 'ns', name: 'builder' };
const anyBuildpack = { kind: 'Buildpack', namespace: 'ns', name: '*' };

let records: Records;
let runner: ReturnType<typeof dependentsRunner>;
let ports: Parameters<typeof dependentsRunner>[0];
const woken: string[] = [];
let generation = 0;

beforeEach(async () => {
  const table = await tables.empty();
  records = new Records(table);
  woken.length = 0;
  const get = async ({ kind, name }: Dependency): Promise<KubeObject> => {
    generation += 1;
    return { apiVersion: 'v1', kind, metadata: { name, generation, uid: 'u' } };
  };
  ports = {
    records,
    circuits: new Circuits(table),
    sender: {
      send: async (_queue, messages) => void woken.push(...messages.map(({ target: { name } }) => name)),
    },
    kube: () => Promise.resolve({ get } as Pick<KubeClient, 'get'> as KubeClient),
    pause: () => Promise.resolve(),
    clock: () => new Date(),
    random: () => 0.5,
    log: () => undefined,
  };
  runner = dependentsRunner(ports);
});

const follow = async (who: TargetKey, what: readonly Dependency[]): Promise<void> => {
  const record = await records.addEdges(who, await records.read(who), what);
  await records.finish(who, record, {
    resourceVersion: '1',
    epoch: '',
    attempts: 0,
    dueAt: 2_000_000_000,
    edges: what,
  });
};
const message = (what: Dependency): Message => ({
  v: 1,
  cluster: 'c',
  epoch: '1',
  target: what,
  cause: { ...what, uid: 'u', resourceVersion: '1' },
  reason: 'self',
});
const changes = async (what: Dependency): Promise<readonly string[]> => {
  woken.length = 0;
  await runner({ cluster: 'c', ...what }, [message(what)], 30);
  return woken.toSorted();
};

describe('a builder that follows something', () => {
  it('04#118 is woken when that namespaced object changes, and by no other of its kind', async () => {
    await follow(mine, [account]);
    expect(await changes(account)).toEqual(['mine']);
    expect(await changes({ ...account, name: 'another' })).toEqual([]);
    expect(await changes({ ...account, namespace: 'elsewhere' })).toEqual([]);
  });

  it('04#119 is woken when that cluster-scoped object changes, and by no other name', async () => {
    await follow(mine, [stack]);
    expect(await changes(stack)).toEqual(['mine']);
    expect(await changes({ ...stack, name: 'another' })).toEqual([]);
  });

  it('04#120 that is a whole kind is woken by any object of it, like everybody who does, and by no other kind', async () => {
    await follow(mine, [anyBuildpack]);
    await follow(other, [anyBuildpack]);
    expect(await changes({ ...anyBuildpack, name: 'java' })).toEqual(['mine', 'other']);
    expect(await changes({ ...anyBuildpack, namespace: 'elsewhere', name: 'java' })).toEqual([]);
    expect(await changes({ kind: 'ClusterBuildpack', namespace: '', name: 'java' })).toEqual([]);
  });

  it('04#121 is not woken any more once it follows something else; edges have no lease that could end unseen', async () => {
    await follow(mine, [stack]);
    await follow(mine, [account]);
    expect(await changes(stack)).toEqual([]);
    expect(await changes(account)).toEqual(['mine']);
  });
});

describe('an object that is gone', () => {
  it('04#10 costs one read, no call of its reconciler and no write', async () => {
    const kube = { get: () => Promise.resolve(undefined) } as Partial<KubeClient> as KubeClient;
    let called = 0;
    const run = passRunner(
      { kind: 'ClusterStore', reconcile: () => Promise.reject(new Error(`call ${(called += 1)}`)) },
      { ...ports, kube: () => Promise.resolve(kube) },
    );
    const store = { kind: 'ClusterStore', namespace: '', name: 's' };
    expect(await run({ cluster: 'c', ...store }, [message(store)], 30)).toBe('gone');
    expect(called).toBe(0);
  });
});
