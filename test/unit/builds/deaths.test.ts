/** The process dies after any write of a Build's passes, with records in a real table: one pod is made, and known as ours afterwards. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildReconciler } from '../../../lib/builds/reconcile.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { wordFor } from '../../../lib/queue/comes-again.ts';
import type { Message } from '../../../lib/queue/message.ts';
import { passRunner } from '../../../lib/reconcile/run.ts';
import { Circuits } from '../../../lib/state/circuits.ts';
import { Records } from '../../../lib/state/records.ts';
import { Died, FakeKube } from '../../support/fake-kube.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';
import { admitted } from './admitted-pod.ts';
import { buildB, contextB } from './base-build.ts';
import { appFacts, builderFacts, succeededPod } from './build-world.ts';

let state: StateTables;
beforeAll(async () => {
  state = await stateTables();
});
afterAll(() => state[Symbol.asyncDispose]());

const target = { cluster: 'one', kind: 'Build', namespace: 'some-namespace', name: 'build-name' };
const podKey = { kind: 'Pod', namespace: target.namespace, name: 'build-name-build-pod' };
const { cluster: _, ...named } = target;
const wakeUp: Message = {
  v: 1,
  cluster: target.cluster,
  epoch: 'e',
  target: named,
  cause: { ...named, uid: '', resourceVersion: '' },
  reason: 'child',
  occasion: 'o',
};

/** Stores pods as the API server stores them. */
class AdmittingKube extends FakeKube {
  override create<T extends KubeObject>(object: T): Promise<T> {
    return super.create(object.kind === 'Pod' ? { ...object, ...admitted(object as unknown as Pod) } : object);
  }
}

const story = async () => {
  const kube = new AdmittingKube();
  kube.put(buildB());
  kube.put({ kind: 'ServiceAccount', metadata: { name: 'someserviceaccount', namespace: target.namespace } });
  const records = new Records(await state.empty());
  const fail = () => Promise.reject(new Error('not wanted here'));
  const read = (reference: string) => Promise.resolve(reference.includes('builder') ? builderFacts : appFacts);
  const { programs, settings } = contextB();
  const run = passRunner(buildReconciler({ images: { read, rebase: fail, sign: fail }, programs, settings }), {
    records,
    circuits: new Circuits(await state.empty()),
    sender: { send: () => Promise.resolve() },
    kube: () => Promise.resolve(kube),
    clock: () => new Date('2026-01-01T10:00:00Z'),
    random: () => 0,
    log: () => undefined,
  });
  const pass = async (): Promise<string> => {
    try {
      return wordFor(await run(target, [wakeUp], 60));
    } catch (error) {
      if (!(error instanceof Died)) throw error;
      return 'died';
    }
  };
  return { kube, records, pass };
};

describe('a Build whose process dies', () => {
  it.each([1, 2, 3])('after write %i of its first pass has one pod, and ends by what that says', async (write) => {
    const { kube, records, pass } = await story();
    kube.dieAfterWrites(write);
    await pass();
    kube.live();
    await pass();
    const pod = await kube.get<Pod & KubeObject>(podKey);
    const { memory = '' } = await records.read(target);
    expect(memory).toContain(`"uid":"${pod?.metadata?.uid ?? 'none'}"`);
    await kube.replaceStatus<Pod & KubeObject>({ ...pod, status: succeededPod() });
    expect(await pass()).toBe('settled');
    expect(kube.find('Build', target.name, target.namespace)?.status?.conditions).toMatchObject([
      { status: 'True', reason: 'Completed' },
    ]);
    expect(kube.writes.filter((line) => line.startsWith('create Pod') && !line.endsWith('(refused)'))).toHaveLength(1);
  });
});
