/** What idle sources cost: as much as there are pairs of repository and credential, however many Images follow them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sourceWorld } from '../../support/source-world.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';

/**
 * A fortieth of the figure to keep (10,000 over 50): what is counted does not depend on it, only the time it takes.
 * `KPACKLESS_TEST_IDLE_SOURCES=10000` counts them all.
 */
const sources = Number(process.env['KPACKLESS_TEST_IDLE_SOURCES'] ?? 250);
/** Milliseconds; a source takes up to 50 to make. */
const timeout = 60_000 + sources * 100;
const repositories = 25;
const namespaces = ['one', 'two'];
const pairs = repositories * namespaces.length;

let state: StateTables;
beforeAll(async () => {
  state = await stateTables();
});
afterAll(() => state[Symbol.asyncDispose]());

describe(`${sources} idle sources over ${pairs} pairs of repository and credential`, () => {
  it('cost 50 listings and 100 API reads a polling interval, and no write', { timeout }, async () => {
    const w = sourceWorld(await state.empty());
    for (const namespace of namespaces) {
      w.put('serviceaccounts', { metadata: { name: 'sa', namespace }, secrets: [{ name: 's' }] });
      w.put('secrets', {
        metadata: { name: 's', namespace, annotations: { 'kpack.io/git': 'git.example' } },
        type: 'kubernetes.io/basic-auth',
        data: {},
      });
    }
    const url = (n: number): string => `https://git.example/team/r${n}`;
    for (let n = 0; n < repositories; n += 1) w.host(url(n), [{ name: 'refs/heads/main', hash: '1'.repeat(40) }]);
    for (let n = 0; n < sources; n += 1) {
      const namespace = namespaces[n % 2] ?? '';
      w.apply(
        `app${n}`,
        { git: { url: url(Math.floor(n / 2) % repositories), revision: 'main' } },
        { namespace, serviceAccount: 'sa' },
      );
      await w.resolve(`app${n}`, { namespace });
    }

    /** An interval, in which each is listed when its own moment has come. */
    const passInterval = async (): Promise<void> => {
      for (let seconds = 0; seconds < 60; seconds += 5) {
        w.later(5);
        const due = await w.due();
        expect(due.every(({ target }) => target.kind === 'GitPoll')).toBe(true);
        for (const { target } of due) expect(await w.poll(target)).toBe('unchanged');
      }
    };
    // What was just made waits for its first moment, and goes into its page then.
    await passInterval();
    await passInterval();
    for (const interval of ['first', 'second', 'third']) {
      w.asked.splice(0);
      const before = w.world.requests.length;
      const writes = w.world.writes().length;
      await passInterval();
      expect([interval, w.asked.length, w.world.requests.length - before, w.world.writes().length - writes]).toEqual([
        interval,
        pairs,
        2 * pairs,
        0,
      ]);
      expect(w.woken()).toEqual([]);
    }
  });
});
