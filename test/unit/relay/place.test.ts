/** How far a relay is, and that it lives: one item, one write, as rarely as it may be (DESIGN §3.11). */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDatabase } from '../../../lib/embedded/database.ts';
import { sqliteTable } from '../../../lib/embedded/sqlite-table.ts';
import { relayState, sayRelay } from '../../../lib/relay/heartbeat.ts';
import { Place } from '../../../lib/relay/place.ts';
import { Clusters } from '../../../lib/state/clusters.ts';
import { StateError, type Table } from '../../../lib/state/table.ts';
import { WatchHistory } from '../../../lib/state/watch-history.ts';
import { silentRelays, tellSilentRelays } from '../../../lib/sweeper/silent-relays.ts';

let database: ReturnType<typeof openDatabase>;
beforeEach(() => {
  database = openDatabase();
  vi.useFakeTimers({ now: 1_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
  database.close();
});

const epoch = 'uid.0';

/** A relay of cluster `one`, whose table may be away; all that it writes is counted. */
const begin = async () => {
  const plain = sqliteTable(database);
  let [writes, isAway] = [0, false];
  const table: Table = {
    ...plain,
    update: (...given) => {
      if (isAway) return Promise.reject(new StateError('away'));
      writes += 1;
      return plain.update(...given);
    },
  };
  const history = new WatchHistory(table);
  const says = { lagSeconds: 0, notWatched: [] as readonly string[] };
  const warned: unknown[] = [];
  const over = vi.fn();
  await history.epoch('one', 'uid');
  const place = new Place({
    cluster: 'one',
    history,
    clock: () => new Date(),
    says: () => says,
    warn: (why) => void warned.push(why),
  });
  place.enter(epoch, over);
  writes = 0;
  return {
    table,
    history,
    place,
    says,
    warned,
    over,
    writes: () => writes,
    setAway: (away: boolean) => void (isAway = away),
    pass: (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000),
    saved: () => history.checkpoints('one', epoch),
  };
};

describe('a relay says how far it is', () => {
  it('all kinds in one item and one write, at most every half minute while they move', async () => {
    const { place, pass, writes, saved } = await begin();
    for (let second = 0; second < 3600; second += 1) {
      for (const kind of ['Image', 'Build', 'Pod']) place.moved(epoch, kind, String(second));
      await pass(1);
    }
    // The first of an epoch takes two.
    expect(writes()).toBeLessThanOrEqual(3600 / 30 + 2);
    expect(writes()).toBeGreaterThanOrEqual(3600 / 30 - 1);
    await place.end();
    expect(Object.fromEntries(await saved())).toStrictEqual({ Image: '3599', Build: '3599', Pod: '3599' });
    expect(database.prepare('SELECT count(*) AS items FROM item').get()).toEqual({ items: 2 });
  });

  it('the first time at once', async () => {
    const { place, pass, saved } = await begin();
    place.moved(epoch, 'Image', '7');
    await pass(0);
    expect((await saved()).get('Image')).toBe('7');
  });

  it('once a minute when nothing moves, so that it is known to live', async () => {
    const { place, pass, writes, history, says } = await begin();
    place.moved(epoch, 'Image', '7');
    await pass(1);
    const before = writes();
    says.lagSeconds = 90;
    says.notWatched = ['Build'];
    await pass(3600);
    expect(writes() - before).toBe(60);
    expect(await history.lastBeat('one')).toStrictEqual({
      beatAt: expect.any(Number) as unknown,
      lagSeconds: 90,
      notWatched: ['Build'],
    });
    await place.end();
  });

  it('of what moved while the table was away, when it is back; what came later stands', async () => {
    const { place, pass, saved, setAway, warned } = await begin();
    setAway(true);
    place.moved(epoch, 'Image', '7');
    place.moved(epoch, 'Build', '7');
    await pass(1);
    place.moved(epoch, 'Image', '8');
    setAway(false);
    await pass(30);
    expect(Object.fromEntries(await saved())).toStrictEqual({ Image: '8', Build: '7' });
    expect(warned).toHaveLength(1);
    await place.end();
  });

  it('when it ends, and nothing of an epoch that is over', async () => {
    const { place, history, pass } = await begin();
    place.moved(epoch, 'Image', '7');
    await pass(1);
    place.moved(epoch, 'Image', '9');
    place.enter('uid.1', () => undefined);
    place.moved(epoch, 'Image', '10');
    place.moved('uid.1', 'Build', '2');
    await place.end();
    expect(Object.fromEntries(await history.checkpoints('one', 'uid.1'))).toStrictEqual({ Build: '2' });
    expect((await history.checkpoints('one', epoch)).size).toBe(0);
  });

  it('and hears that its cluster was registered anew: everything is to be told again', async () => {
    const { place, pass, over, table } = await begin();
    place.moved(epoch, 'Image', '7');
    await pass(1);
    expect(over).not.toHaveBeenCalled();
    await new Clusters(table).register('one', { access: 'in-cluster' });
    place.moved(epoch, 'Image', '8');
    await pass(31);
    expect(over).toHaveBeenCalledOnce();
    await place.end();
  });

  it('and goes on from there: all kinds are asked for in one read', async () => {
    const { place, pass, table } = await begin();
    place.moved(epoch, 'Image', '7');
    await pass(1);
    await place.end();
    const get = vi.spyOn(table, 'get');
    const next = new Place({
      cluster: 'one',
      history: new WatchHistory(table),
      clock: () => new Date(),
      says: () => ({ lagSeconds: 0, notWatched: [] }),
      warn: () => undefined,
    });
    next.enter(epoch, () => undefined);
    expect(await Promise.all(['Image', 'Build'].map((kind) => next.last(kind)))).toStrictEqual(['7', undefined]);
    expect(get).toHaveBeenCalledOnce();
    await next.end();
  });
});

describe('a relay that says nothing', () => {
  const beat = { beatAt: 1000, lagSeconds: 0, notWatched: [] };

  it.each([
    ['unseen', undefined, 1000],
    ['well', beat, 1180],
    ['silent', beat, 1181],
    ['behind', { ...beat, lagSeconds: 61 }, 1060],
  ] as const)('is %s when it last said %j, at %i', (state, last, now) => {
    expect(relayState(last, now)).toBe(state);
  });

  it('is told with what to do', () => {
    expect(sayRelay(beat, 1600)).toBe(
      'its relay has said nothing for 10 min: changes in the cluster are seen when due times come, up to a day later; look whether its pod runs',
    );
    expect(sayRelay({ ...beat, lagSeconds: 300, notWatched: ['Pod', 'Build'] }, 1010)).toBe(
      'its relay is 5 min behind; it does not watch Build, Pod: look at its log',
    );
  });

  it('is found by the sweeper after three minutes, the longest silent first; one that was never there is not dead', async () => {
    const table = sqliteTable(database);
    const [clusters, history] = [new Clusters(table), new WatchHistory(table)];
    for (const name of ['a', 'b', 'c', 'new', 'removed']) await clusters.register(name, { access: 'in-cluster' });
    await history.beat('a', { ...beat, beatAt: 900 });
    await history.beat('b', { ...beat, beatAt: 800 });
    await history.beat('c', { ...beat, beatAt: 1100 });
    await history.beat('removed', { ...beat, beatAt: 10 });
    await clusters.remove('removed');
    expect(await silentRelays({ clusters, history }, 1100)).toStrictEqual(['b', 'a']);
    expect(await silentRelays({ clusters, history }, 1000)).toStrictEqual(['b']);
    const logged: unknown[] = [];
    const log = (_level: string, what: string, fields = {}): void => void logged.push({ what, ...fields });
    const counted: unknown[] = [];
    const metrics = { add: (...one: readonly unknown[]) => void counted.push(one), flush: () => undefined };
    await tellSilentRelays({ clusters, history, log, metrics }, 1100);
    await tellSilentRelays({ clusters, history, log, metrics }, 900);
    expect(logged).toMatchObject([{ what: 'relays are silent', clusters: ['b', 'a'] }]);
    expect(counted).toEqual([
      ['SilentRelays', {}, 2],
      ['SilentRelays', {}, 0],
    ]);
    await tellSilentRelays({ clusters: { names: () => Promise.reject(new StateError('away')) }, history, log }, 1100);
    expect(logged.at(-1)).toStrictEqual({ what: 'looking at relays failed', why: 'away' });
  });
});
