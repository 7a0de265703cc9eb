/** The Image reconciler in the real runner, with real records: what a message costs, and what is left after a failure. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageReconciler } from '../../../lib/images/reconcile.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import type { Message } from '../../../lib/queue/message.ts';
import { passRunner } from '../../../lib/reconcile/run.ts';
import { Circuits } from '../../../lib/state/circuits.ts';
import { Records } from '../../../lib/state/records.ts';
import { imageWorld, namespace } from '../../support/image-world.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';

const target = { cluster: 'test', kind: 'Image', namespace, name: 'image-name' };
let tables: StateTables;
beforeAll(async () => {
  tables = await stateTables();
});
afterAll(() => tables[Symbol.asyncDispose]());

const running = async () => {
  const world = imageWorld();
  const table = await tables.empty();
  const records = new Records(table);
  const run = passRunner(imageReconciler({ priorityClasses: false }), {
    records,
    circuits: new Circuits(table),
    sender: { send: () => Promise.resolve() },
    kube: () => Promise.resolve(world.kube),
    clock: () => world.kube.now,
    random: () => 0,
    log: () => undefined,
  });
  /** What the relay sends when the Image changes: a pointer to its present version. */
  const changed = (): Message => {
    const { kind, name } = target;
    const { uid = '', resourceVersion = '' } = world.image().metadata;
    const cause = { kind, namespace, name, uid, resourceVersion };
    return { v: 1, cluster: 'test', epoch: 'e', target: { kind, namespace, name }, cause, reason: 'self' };
  };
  return { ...world, records, changed, wake: (message: Message) => run(target, [message], 60) };
};

describe('Image in its runner', () => {
  it('the event of its own status costs no request', async () => {
    const { wake, changed, kube } = await running();
    expect(await wake(changed())).toBe('again');
    kube.forget();
    expect(await wake(changed())).toBe('skipped');
    expect(kube.calls).toStrictEqual([]);
  });

  it('somebody who writes at the same time costs a second look, and is not told as a failure', async () => {
    const { wake, changed, kube, ready, want } = await running();
    await wake(changed());
    want({ serviceAccountName: 'other' });
    kube.failNext('replaceStatus', /Image/, new KubeError('conflict', 'modified', { status: 409 }));
    expect(await wake(changed())).toBe('again');
    expect(ready()?.reason).toBe('ResolverNotReady');
  });

  it('the builder is among its edges from the first pass on', async () => {
    const { wake, changed, records } = await running();
    await wake(changed());
    expect((await records.read(target)).edges).toStrictEqual([`Builder#${namespace}#builder-name`]);
  });

  it('a process that dies leaves a record that skips nothing, and the message finds the work half done', async () => {
    const { wake, changed, kube, resolver, ready } = await running();
    kube.dieAfterWrites(1);
    await expect(wake(changed())).rejects.toThrow('died');
    kube.live();
    expect(resolver()).toBeDefined();
    expect(await wake(changed())).toBe('again');
    expect(ready()?.reason).toBe('ResolverNotReady');
  });

  it('a failure of the API server is tried again in seconds, and told once it has lasted for half a minute', async () => {
    const { wake, changed, kube, ready } = await running();
    const outOfOrder = new KubeError('server', 'POST: out of order', { status: 500 });
    kube.failNext('create', /SourceResolver/, outOfOrder);
    expect(await wake(changed())).toMatchObject({ result: 'failed', comesAgainSeconds: 0.75 });
    expect(ready()).toBeUndefined();
    kube.now = new Date(kube.now.getTime() + 29_000);
    kube.failNext('create', /SourceResolver/, outOfOrder);
    await wake(changed());
    expect(ready()).toBeUndefined();
    kube.now = new Date(kube.now.getTime() + 1000);
    kube.failNext('create', /SourceResolver/, outOfOrder);
    await wake(changed());
    expect(ready()?.message).toBe('POST: out of order');
  });

  it('a failure leaves a due time as well, in seconds', async () => {
    const { wake, changed, kube, records } = await running();
    kube.failNext('create', /SourceResolver/, new KubeError('server', 'POST: out of order', { status: 500 }));
    await wake(changed());
    const { attempts, dueAt = 0 } = await records.read(target);
    expect(attempts).toBe(1);
    expect(dueAt - kube.now.getTime() / 1000).toBeLessThanOrEqual(1);
  });
});
