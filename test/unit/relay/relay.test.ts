/** Whom an event wakes, and what a relay sends at its start. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { kubeClient } from '../../../lib/kube/client.ts';
import type { KubeMeta } from '../../../lib/kube/object.ts';
import { usualTimes } from '../../../lib/kube/watch-times.ts';
import type { Message } from '../../../lib/queue/message.ts';
import { pointersFor, watchedKinds } from '../../../lib/relay/pointers.ts';
import { startRelay } from '../../../lib/relay/relay.ts';
import { Clusters } from '../../../lib/state/clusters.ts';
import type { Table } from '../../../lib/state/table.ts';
import { WatchHistory } from '../../../lib/state/watch-history.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';
import { type WatchServer, watchServer } from '../../support/watch-server.ts';

const watchedAs = (kind: string) => {
  const found = watchedKinds.find((watched) => watched.kind === kind);
  if (found === undefined) throw new Error(`${kind} is not watched`);
  return found;
};
const origin = { cluster: 'one', epoch: 'e.0' };
const shown = (kind: string, meta: KubeMeta, occasion?: string): readonly string[] =>
  pointersFor(watchedAs(kind), meta, origin, occasion).map(
    ({ queue, message: { target, reason } }) => `${queue}: ${reason} ${target.kind} ${target.name}`,
  );
const ownedBy = (kind: string, name: string, apiVersion = 'kpack.io/v1alpha2'): KubeMeta => ({
  ownerReferences: [{ apiVersion, kind, name, uid: 'u', controller: true }],
});

describe('an event', () => {
  it('of a pod wakes its Build alone', () => {
    expect(shown('Pod', { name: 'p', namespace: 'team', ...ownedBy('Build', 'b') })).toStrictEqual([
      'build: child Build b',
    ]);
  });

  it('of a Build wakes itself and its Image', () => {
    expect(shown('Build', { name: 'b', namespace: 'team', ...ownedBy('Image', 'app') })).toStrictEqual([
      'build: self Build b',
      'image: child Image app',
    ]);
  });

  it('of what belongs to somebody else wakes nobody of ours', () => {
    expect(shown('Pod', { name: 'p', namespace: 'team', ...ownedBy('Build', 'b', 'shipwright.io/v1') })).toStrictEqual(
      [],
    );
    expect(shown('PersistentVolumeClaim', { name: 'data', namespace: 'team' })).toStrictEqual([]);
  });

  it('of a Builder wakes itself and those who depend on it', () => {
    expect(shown('Builder', { name: 'base', namespace: 'team' })).toStrictEqual([
      'builder: self Builder base',
      'dependents: self Builder base',
    ]);
  });

  it('of a list says so, and tells the owner, who knows whether it has seen that version', () => {
    expect(shown('Build', { name: 'b', ...ownedBy('Image', 'app') }, '9@1')).toStrictEqual([
      'build: list Build b',
      'image: list Image app',
    ]);
  });
});

describe('a relay', () => {
  let tables: StateTables;
  let server: WatchServer;
  let stop = new AbortController();
  let stopped: Promise<void> | undefined;
  beforeAll(async () => {
    tables = await stateTables();
  });
  afterAll(() => tables[Symbol.asyncDispose]());
  afterEach(async () => {
    stop.abort();
    await stopped;
    await server[Symbol.asyncDispose]();
  });

  let ahead = 0;
  const start = async (table: Table, more: { readonly listsEverything?: boolean } = {}) => {
    ahead = 0;
    stop = new AbortController();
    server = await watchServer();
    const sent: Message[] = [];
    let thrown = 0;
    const relay = startRelay(
      {
        cluster: 'one',
        transport: server.transport,
        kube: kubeClient(server.transport, stop.signal),
        history: new WatchHistory(table),
        sender: { send: async (_queue, messages) => void sent.push(...messages) },
        clock: () => new Date(Date.now() + ahead),
        believedAfter: 100,
        // Every throw of the dice is another, or all watches would try at the same moments.
        random: () => (thrown++ * 0.37) % 1,
        log: () => undefined,
        times: { ...usualTimes, behindSeconds: 0 },
        ...more,
      },
      stop.signal,
    );
    ({ stopped } = relay);
    await expect.poll(() => relay.notReady(), { timeout: 10_000 }).toStrictEqual([]);
    return { sent, relay };
  };
  const lists = (sent: readonly Message[]): readonly Message[] => sent.filter(({ reason }) => reason === 'list');

  it('marks what one namespace sends beyond a burst, in order, as what may wait; nobody is left out', async () => {
    const { sent } = await start(await tables.empty());
    for (const watch of server.watches)
      for (let version = 11; version < 71; version += 1) watch.event('MODIFIED', String(version), `app-${version}`);
    const events = (): readonly Message[] =>
      sent.filter(
        ({ reason, target, cause }) => reason === 'self' && target.kind === 'Image' && cause.kind === 'Image',
      );
    await expect.poll(() => events().length).toBe(60);
    const straight = events().filter(({ bulk }) => bulk !== true);
    expect(straight.length).toBeGreaterThanOrEqual(20);
    // Two a second more, on a machine that is busy.
    expect(straight.length).toBeLessThan(30);
    expect(events().slice(0, 20)).toStrictEqual(straight.slice(0, 20));
  });

  it('keeps its epoch over a restart, so that what is unchanged may be skipped', async () => {
    const table = await tables.empty();
    const first = lists((await start(table)).sent)[0]?.epoch;
    stop.abort();
    await stopped;
    await server[Symbol.asyncDispose]();
    expect(lists((await start(table)).sent)[0]?.epoch).toBe(first);
  });

  it('tells at its next start of what nobody owns, and of everything when it is told to', async () => {
    const table = await tables.empty();
    const kindsOf = (sent: readonly Message[]) => new Set(lists(sent).map(({ cause }) => cause.kind));
    const again = async (more: { readonly listsEverything?: boolean } = {}) => {
      const { sent } = await start(table, more);
      // Until gaps are told of, no checkpoint stands.
      await expect.poll(() => sent.filter(({ target }) => target.name === 'gap').length, { timeout: 5000 }).toBe(4);
      return kindsOf(sent);
    };
    const end = async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      stop.abort();
      await stopped;
      await server[Symbol.asyncDispose]();
    };
    const first = await again();
    expect([first.has('Image'), first.has('Build'), first.has('ServiceAccount')]).toStrictEqual([true, true, true]);
    await end();
    const second = kindsOf((await start(table)).sent);
    expect(second.has('Image')).toBe(true);
    expect(['Build', 'SourceResolver', 'ServiceAccount'].filter((kind) => second.has(kind))).toStrictEqual([]);
    await end();
    expect(await again({ listsEverything: true })).toStrictEqual(first);
  });

  it('says with how far it is that it lives, and that it watches everything and nothing waits', async () => {
    const table = await tables.empty();
    const history = new WatchHistory(table);
    await start(table);
    ahead += 61_000;
    for (const watch of server.watches) watch.event('BOOKMARK', '11');
    await expect.poll(async () => (await history.lastBeat('one'))?.notWatched, { timeout: 5000 }).toStrictEqual([]);
    const beat = await history.lastBeat('one');
    expect(beat?.lagSeconds).toBe(0);
    expect(Math.abs((beat?.beatAt ?? 0) - (Date.now() + ahead) / 1000)).toBeLessThan(10);
  });

  it('waits for a cluster that is away', async () => {
    const table = await tables.empty();
    server = await watchServer();
    server.refuse('list', 503);
    server.refuse('list', 503);
    stop = new AbortController();
    const relay = startRelay(
      {
        cluster: 'one',
        transport: server.transport,
        kube: kubeClient(server.transport, stop.signal),
        history: new WatchHistory(table),
        sender: { send: async () => undefined },
        clock: () => new Date(),
        random: () => 0,
        log: () => undefined,
      },
      stop.signal,
    );
    ({ stopped } = relay);
    expect(relay.notReady()).toContain('Image');
    await expect.poll(() => relay.notReady(), { timeout: 10_000 }).toStrictEqual([]);
  });

  it('lists every kind in the new epoch when one of them finds that the history went back', async () => {
    const { sent, relay } = await start(await tables.empty());
    const before = lists(sent).length;
    const old = lists(sent)[0]?.epoch;
    const [watch] = server.watches;
    watch?.event('BOOKMARK', '5000');
    await new Promise((resolve) => setTimeout(resolve, 50));
    watch?.end();
    await expect.poll(() => lists(sent).length, { timeout: 5000 }).toBeGreaterThanOrEqual(before * 2);
    await expect.poll(() => relay.notReady(), { timeout: 10_000 }).toStrictEqual([]);
    const news = lists(sent).slice(before);
    expect(new Set(news.map(({ target }) => target.kind))).toStrictEqual(
      new Set(
        lists(sent)
          .slice(0, before)
          .map(({ target }) => target.kind),
      ),
    );
    expect(news.map(({ epoch }) => epoch)).not.toContain(old);
  });

  it('that goes on while its cluster is registered anew tells of everything once more: it was not believed meanwhile', async () => {
    const table = await tables.empty();
    const clusters = new Clusters(table);
    await clusters.register('one', { access: 'in-cluster' });
    const { sent, relay } = await start(table);
    const before = lists(sent);
    await clusters.register('one', { access: 'in-cluster', relayRoleId: 'AROA' });
    const saves = (version: string): void => {
      ahead += 61_000;
      for (const watch of server.watches) watch.event('BOOKMARK', version);
    };
    saves('11');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(lists(sent)).toHaveLength(before.length);
    await table.delete('registration#one', 'registration');
    await clusters.register('one', { access: 'in-cluster' });
    saves('12');
    await expect.poll(() => lists(sent).length, { timeout: 5000 }).toBeGreaterThanOrEqual(before.length * 2);
    await expect.poll(() => relay.notReady(), { timeout: 10_000 }).toStrictEqual([]);
    const shownIn = (messages: readonly Message[]) => new Set(messages.map(({ target }) => target.kind));
    const news = lists(sent).slice(before.length);
    expect(shownIn(news)).toStrictEqual(shownIn(before));
    expect(news.map(({ epoch }) => epoch)).not.toContain(before[0]?.epoch);
    // Once: how far it then is counts again.
    const after = lists(sent).length;
    saves('13');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(lists(sent)).toHaveLength(after);
  });

  it('whose first watch is established again after an outage does not let the others wait', async () => {
    const { relay } = await start(await tables.empty());
    // Each kind fails some times, so that their pauses are seconds by now.
    const kinds = server.watches.length;
    for (let refusals = 0; refusals < kinds * 4; refusals += 1) server.refuse('list', 503);
    for (const watch of server.watches) watch.reset();
    await expect.poll(() => relay.notReady().length, { timeout: 5000 }).toBe(kinds);
    await expect.poll(() => relay.notReady().length, { timeout: 20_000, interval: 10 }).toBeLessThan(kinds);
    const first = performance.now();
    await expect.poll(() => relay.notReady(), { timeout: 20_000, interval: 10 }).toStrictEqual([]);
    expect(performance.now() - first).toBeLessThan(3000);
  }, 30_000);
});
