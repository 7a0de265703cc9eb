/** What many passes depend on is read once, until its next event: nobody decides on less than what was received. */
import { describe, expect, it } from 'vitest';
import type { KubeClient } from '../../../lib/kube/client.ts';
import { type Reading, withKeptDependencies } from '../../../lib/reconcile/kept-dependencies.ts';
import { Received } from '../../../lib/reconcile/received.ts';
import { FakeKube } from '../../support/fake-kube.ts';

const builder = { kind: 'ClusterBuilder', namespace: '', name: 'sample' };
const version = (resourceVersion: string, more: object = {}) => ({
  apiVersion: 'kpack.io/v1alpha2',
  kind: 'ClusterBuilder',
  metadata: { name: 'sample', resourceVersion, ...more },
  spec: {},
});

/** A relay that watches builders of cluster `one`, and passes beside it. */
const begin = ({ declared = [builder] }: { readonly declared?: readonly (typeof builder)[] } = {}) => {
  let now = 0;
  const received = new Received(() => new Date(now));
  const kube = new FakeKube();
  const client: Pick<KubeClient, 'get'> = { get: (key) => kube.get(key) };
  kube.put(version('5'));
  const note = (noted: string, changed?: readonly { readonly namespace: string; readonly name: string }[]) =>
    received.note('one', 'ClusterBuilder', 'e.0', noted, changed);
  const reading = { received, declared: () => declared, told: () => undefined, isFresh: false };
  const reads = (epoch = 'e.0', cluster = 'one', more: Partial<Reading> = {}) =>
    withKeptDependencies(client, { cluster, epoch, ...reading, ...more }).get(builder);
  /** How often the API server was asked meanwhile. */
  const asked = async (work: () => Promise<unknown>): Promise<number> => {
    kube.forget();
    await work();
    return kube.calls.length;
  };
  return { received, kube, note, reads, asked, later: (milliseconds: number) => (now += milliseconds) };
};

describe('what was read since its last event', () => {
  it('is not read again, by whichever pass', async () => {
    const { note, reads, asked } = begin();
    note('5');
    expect(await reads()).toMatchObject({ metadata: { name: 'sample' } });
    expect(await asked(reads)).toBe(0);
    expect(await reads()).toBe(await reads());
  });

  it('is read again after its event, and not after one of another', async () => {
    const { kube, note, reads, asked } = begin();
    note('5');
    await reads();
    note('6', [{ namespace: '', name: 'other' }]);
    expect(await asked(reads)).toBe(0);
    kube.put(version('7', { labels: { is: 'new' } }));
    note('7', [{ namespace: '', name: 'sample' }]);
    expect(await reads()).toMatchObject({ metadata: { labels: { is: 'new' } } });
  });

  it('is not kept when anything of its kind came in while it was read: the answer may be older', async () => {
    const { received, kube, note, reads, asked } = begin();
    note('5');
    const old = await kube.get(builder);
    await received.read('one', 'e.0', builder, { isFresh: false }, async () => {
      note('7', [{ namespace: '', name: 'sample' }]);
      return old;
    });
    expect(await asked(reads)).toBe(1);
  });

  it('is read again by who was told of a newer version, whose event has not come, and then kept', async () => {
    const { kube, note, reads, asked } = begin();
    note('5');
    await reads();
    kube.put(version('', { labels: { is: 'new' } }));
    expect(await reads('e.0', 'one', { told: () => '102' })).toMatchObject({ metadata: { labels: { is: 'new' } } });
    expect(await asked(reads)).toBe(0);
    expect(await reads()).toMatchObject({ metadata: { labels: { is: 'new' } } });
  });

  it('gives way to what a pass read freshly, after somebody wrote in between: nobody goes back behind that', async () => {
    const { received, kube, note, reads, asked } = begin();
    note('5');
    const old = await reads();
    kube.put(version('', { labels: { is: 'new' } }));
    await reads('e.0', 'one', { isFresh: true });
    expect(await asked(reads)).toBe(0);
    expect(await reads()).toMatchObject({ metadata: { labels: { is: 'new' } } });
    note('6', [{ namespace: '', name: 'sample' }]);
    expect(received.version('one', builder, 'e.0')).toBe('102');
    expect(received.version('one', { ...builder, name: 'other' }, 'e.0')).toBe('6');
    await received.read('one', 'e.0', builder, { isFresh: false }, async () => old);
    expect(received.version('one', builder, 'e.0')).toBe('102');
    expect(await asked(reads)).toBe(1);
  });

  it('is read again after a list, which tells nothing of what was deleted', async () => {
    const { note, reads, asked } = begin();
    note('5');
    await reads();
    note('9');
    expect(await asked(reads)).toBe(1);
  });

  it('is read each time while the watch is interrupted, and kept when it is back', async () => {
    const { received, note, reads, asked } = begin();
    note('5');
    await reads();
    received.lost('one', 'ClusterBuilder');
    expect(await asked(reads)).toBe(1);
    expect(await asked(reads)).toBe(1);
    note('9');
    expect(await asked(reads)).toBe(1);
    expect(await asked(reads)).toBe(0);
  });

  it('is read again after a minute, whatever the watch says', async () => {
    const { note, reads, asked, later } = begin();
    note('5');
    await reads();
    later(60_000);
    expect(await asked(reads)).toBe(1);
  });

  it.each([
    ['before anything was received', 'e.0', 'one', undefined],
    ['in another epoch', 'e.1', 'one', '5'],
    ['in another cluster', 'e.0', 'two', '5'],
  ])('is read each time %s', async (_when, epoch, cluster, noted) => {
    const { note, reads, asked } = begin();
    if (noted !== undefined) note(noted);
    await reads(epoch, cluster);
    expect(await asked(() => reads(epoch, cluster))).toBe(1);
  });

  it('is read each time by a pass that has not declared to depend on it: of a change nobody would tell it', async () => {
    const { note, reads, asked } = begin({ declared: [] });
    note('5');
    await reads();
    expect(await asked(reads)).toBe(1);
  });

  it('is asked for again when it was not there', async () => {
    const { received, note } = begin();
    note('5');
    let asks = 0;
    const absent = () =>
      received.read('one', 'e.0', { ...builder, name: 'absent' }, { isFresh: false }, async () => {
        asks += 1;
        return undefined;
      });
    await absent();
    await absent();
    expect(asks).toBe(2);
  });

  it('cannot be changed by one pass for the others', async () => {
    const { note, reads } = begin();
    note('5');
    await reads();
    const kept = await reads();
    expect(() => Object.assign(kept?.metadata ?? {}, { name: 'mine' })).toThrow(TypeError);
  });

  it('is no more than half a megabyte of a kind, and nothing long: a tenant cannot fill the memory with its accounts', async () => {
    const { received, note } = begin();
    note('5');
    let asks = 0;
    const read = (name: string, characters: number) =>
      received.read('one', 'e.0', { ...builder, name }, { isFresh: false }, async () => {
        asks += 1;
        return version('5', { annotations: { long: 'x'.repeat(characters) } });
      });
    await read('long', 200_000);
    await read('long', 200_000);
    expect(asks).toBe(2);
    for (let count = 0; count < 100; count += 1) await read(`many-${count}`, 10_000);
    asks = 0;
    for (let count = 99; count >= 0; count -= 1) await read(`many-${count}`, 10_000);
    expect(asks).toBeGreaterThan(100 - 60);
    await read('many-0', 10_000);
    expect(asks).toBeLessThanOrEqual(101);
  });
});
