import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SourceResolver } from '../../../lib/api/source-resolver.ts';
import { askedInterval } from '../../../lib/sources/poll-interval.ts';
import { secondsToNextTry } from '../../../lib/sources/polling.ts';
import { type SourceWorld, sourceWorld } from '../../support/source-world.ts';
import { type StateTables, stateTables } from '../../support/state-table.ts';
import { genericPush, secret } from '../hooks/deliveries.ts';

const annotation = 'image.kpack.io/pollInterval';
const URL = 'https://git.acme.example/shop';
const id = (digit: string): string => digit.repeat(40);
const main = (digit: string) => [{ name: 'refs/heads/main', hash: id(digit) }];

let state: StateTables;
let w: SourceWorld;
beforeAll(async () => {
  state = await stateTables();
});
afterAll(() => state[Symbol.asyncDispose]());
beforeEach(async () => {
  w = sourceWorld(await state.empty());
  w.host(URL, main('1'));
});

const follow = async (name: string, interval?: string, generation = 1): Promise<void> => {
  const annotations = interval === undefined ? {} : { [annotation]: interval };
  w.apply(name, { git: { url: URL, revision: 'main' } }, { annotations, generation });
  await w.resolve(name);
};
const commitOf = (name: string): string | undefined =>
  (w.statusOf(name) as SourceResolver['status'])?.source?.git?.revision;
const duePolls = async () => (await w.due()).map(({ target }) => target).filter(({ kind }) => kind === 'GitPoll');
/** Waits second by second for the next poll, and runs it as soon as it is due. */
const nextPoll = async (run?: 'left to the test') => {
  for (let waited = 1; waited < 700; waited += 1) {
    w.later(1);
    const [poll] = await duePolls();
    if (poll === undefined) continue;
    if (run === undefined) expect(await w.poll(poll)).toBe('unchanged');
    return { poll, waited };
  }
  throw new Error('no poll is due');
};
const push = () => w.hook(genericPush({ url: URL, id: commitOf('app') }), [secret]);

describe('the annotation', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['90', 90],
    ['90s', 90],
    ['5m', 300],
    [' 1h ', 3600],
    ['1d', 86_400],
    ['1', 10],
    ['99d', 7 * 86_400],
  ])('%j is %d seconds', (text, seconds) => {
    expect(askedInterval({ [annotation]: text })).toEqual({ kind: 'seconds', seconds });
  });

  it.each(['', 'never', '-1', '1.5h', '1h30m', '9'.repeat(10)])('%j cannot be read, and says what can', (text) => {
    expect(askedInterval({ [annotation]: text })).toMatchObject({ kind: 'wrong' });
  });

  it('is not there: the installation decides', () => {
    expect(askedInterval({})).toEqual({ kind: 'default' });
    expect(askedInterval(undefined)).toEqual({ kind: 'default' });
  });
});

describe('a source with an interval of its own', () => {
  it('is listed that often, and others of the repository as often as before', async () => {
    await follow('app', '10m');
    await follow('usual');
    const [first, second, third] = [await nextPoll(), await nextPoll(), await nextPoll()];
    expect([first.poll.name.length, second.poll.name, third.poll.name]).toEqual([40, 'every-60.0', 'every-60.0']);
    for (const { waited } of [first, second]) expect(waited).toBeLessThanOrEqual(63);
    expect(third.waited).toBe(60);
    await w.pages.finish(third.poll, 1, 4_000_000_000);
    const { poll: own } = await nextPoll('left to the test');
    w.host(URL, main('2'));
    expect(await w.poll(own)).toBe('moved');
    expect(w.woken()).toEqual(['source-resolver dependency app']);
    await w.resolve('app', { reasons: ['dependency'] });
    expect(commitOf('app')).toBe(id('2'));
    const inPage = await nextPoll();
    expect(inPage.poll.name).toBe('every-600.0');
    expect(inPage.waited).toBeLessThanOrEqual(630);
    w.later(599);
    expect(await duePolls()).toEqual([]);
    w.later(1);
    expect(await duePolls()).toEqual([inPage.poll]);
  });

  it('that cannot be read is polled as usual, and says so', async () => {
    await follow('app', 'often');
    expect(w.statusOf('app')).toMatchObject({
      conditions: [
        { type: 'Ready', status: 'True' },
        { type: 'ActivePolling', status: 'True', reason: 'InvalidPollInterval' },
      ],
    });
    w.later(63);
    expect(await duePolls()).toHaveLength(1);
  });

  it('longer than ten minutes is not tried more often because it fails', () => {
    expect(secondsToNextTry({ intervalSeconds: 3600 }, 1, 1)).toBe(3600);
    expect(secondsToNextTry({ intervalSeconds: 3600 }, 9, 1)).toBe(3600);
    expect(secondsToNextTry({ intervalSeconds: 0 }, 1, 1)).toBe(60);
  });
});

describe('a repository whose push hook was heard', () => {
  /** Hours of polls in which nothing moves: how many listings there were. */
  const listingsIn = async (hours: number): Promise<number> => {
    w.asked.splice(0);
    for (let minute = 0; minute < 60 * hours; minute += 1) {
      w.later(60);
      for (const poll of await duePolls()) await w.poll(poll);
    }
    return w.asked.length;
  };

  it('is listed each hour from then on, and its followers take that for an answer', async () => {
    await follow('app');
    w.host(URL, main('2'));
    expect(await push()).toMatchObject({ polls: ['moved'] });
    await w.resolve('app', { reasons: ['dependency'] });
    const listings = await listingsIn(4);
    expect(listings).toBeLessThanOrEqual(5);
    await w.resolve('app', { reasons: ['list'] });
    expect(w.asked).toHaveLength(listings);
  });

  it('is listed each minute again when a move was found that no hook told of', async () => {
    await follow('app');
    w.host(URL, main('2'));
    await push();
    await w.resolve('app', { reasons: ['dependency'] });
    await listingsIn(2);
    w.host(URL, main('3'));
    await listingsIn(2);
    expect(w.woken()).toContain('source-resolver dependency app');
    await w.resolve('app', { reasons: ['dependency'] });
    expect(commitOf('app')).toBe(id('3'));
    expect(await listingsIn(1)).toBeGreaterThan(50);
  });

  it('is listed as often as its source asks for, all the same', async () => {
    await follow('app', '5m');
    w.host(URL, main('2'));
    await push();
    await w.resolve('app', { reasons: ['dependency'] });
    expect(await listingsIn(2)).toBeGreaterThanOrEqual(23);
  });
});

describe('a source that is never polled', () => {
  it('says so, and is not listed on any timer', async () => {
    await follow('app', '0');
    expect(w.statusOf('app')).toMatchObject({
      conditions: [
        { type: 'Ready', status: 'True' },
        { type: 'ActivePolling', status: 'False', reason: 'PollingOff' },
      ],
    });
    w.later(86_400);
    w.asked.splice(0);
    for (const poll of await duePolls()) expect(await w.poll(poll)).toBe('parked');
    expect(w.asked).toEqual([]);
  });

  it('stays where it is when anything else wakes it: the daily look, a restart, an account that changed', async () => {
    await follow('app', '0');
    w.host(URL, main('2'));
    w.later(86_400);
    for (const reason of ['due', 'list', 'dependency', 'self'] as const) {
      expect(await w.resolve('app', { reasons: [reason] })).toBe('settled');
      expect(commitOf('app')).toBe(id('1'));
    }
  });

  it('moves when a push hook says so, also when its message comes late', async () => {
    await follow('app', '0');
    w.host(URL, main('2'));
    expect(await push()).toMatchObject({ status: 202, polls: ['moved'] });
    w.later(600);
    await w.resolve('app', { reasons: ['dependency'] });
    expect(commitOf('app')).toBe(id('2'));
    await w.resolve('app', { reasons: ['due'] });
    expect(commitOf('app')).toBe(id('2'));
  });

  it('is tried again while the listing for a hook fails, but not for ever', async () => {
    await follow('app', '0');
    w.host(URL, 'unauthorized');
    expect(await push()).toMatchObject({ polls: ['failed'] });
    const tries: string[] = [];
    for (let round = 0; round < 12; round += 1) {
      w.later(3600);
      for (const poll of await duePolls()) tries.push(await w.poll(poll));
    }
    expect(tries.filter((result) => result === 'failed')).toHaveLength(7);
  });

  it('is looked up when its spec changes', async () => {
    await follow('app', '0');
    w.host(URL, [...main('2'), { name: 'refs/heads/dev', hash: id('3') }]);
    const status = w.statusOf('app') as never;
    w.apply(
      'app',
      { git: { url: URL, revision: 'dev' } },
      { annotations: { [annotation]: '0' }, generation: 2, status },
    );
    await w.resolve('app');
    expect(commitOf('app')).toBe(id('3'));
  });
});
