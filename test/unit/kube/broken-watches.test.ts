/** Watches that answer and yet tell nothing: they are judged by what they bear, and lists stand for them (DESIGN §3.11). */
import { afterEach, describe, expect, it } from 'vitest';
import type { ReflectorPorts } from '../../../lib/kube/reflector.ts';
import { sleep } from '../../../lib/kube/sleep.ts';
import { isFailure, mustPoll, pauseAfterFailure, restAfterList } from '../../../lib/kube/watch-times.ts';
import { reflecting, shorter } from '../../support/reflecting.ts';
import type { HeldWatch, WatchServer } from '../../support/watch-server.ts';

let running: Awaited<ReturnType<typeof reflecting>> | undefined;
afterEach(() => running?.[Symbol.asyncDispose]());

/** Everything ten times as fast: a second here is ten. */
const tenfold: Partial<ReflectorPorts> = {
  times: shorter(10),
  clock: () => new Date(Date.now() * 10),
  pause: (milliseconds, signal) => sleep(milliseconds / 10, signal),
};
const reflect = async (
  prepare: (server: WatchServer) => void = () => undefined,
  ports: Partial<ReflectorPorts> = {},
) => {
  running = await reflecting({ ...tenfold, ...ports }, prepare);
  return running;
};
/** Seconds, as they were ten times as long, until `what` is so. */
const secondsUntil = async (what: () => boolean): Promise<number> => {
  const before = performance.now();
  await expect.poll(what, { interval: 5, timeout: 15_000 }).toBe(true);
  return (performance.now() - before) / 100;
};

describe('watches that are answered 200 and closed at once', () => {
  it('cost some dozens of requests a minute, and what changes is seen within 15 s by lists', async () => {
    const { server, did, isReady } = await reflect(({ state }) => {
      state.onWatch = (watch) => watch.end();
    });
    await sleep(6000, new AbortController().signal);
    const requests = server.lists.length + server.watches.length;
    expect(requests).toBeLessThan(60);
    expect(isReady()).toBe(true);
    server.state.version = '20';
    expect(await secondsUntil(() => did.includes('listed a@20'))).toBeLessThan(15);
    expect(did.filter((line) => line === 'listed a@10')).toHaveLength(1);
  });

  it('are trusted again as soon as one bears something', async () => {
    const { server, did } = await reflect(({ state }) => {
      state.onWatch = (watch) => watch.end();
    });
    await expect.poll(() => server.watches.length, { timeout: 10_000 }).toBeGreaterThan(4);
    server.state.onWatch = () => undefined;
    const open = server.watches.length;
    (await server.watch(open)).event('MODIFIED', '11', 'b');
    await expect.poll(() => did.at(-1)).toBe('changed b@11');
    const lists = server.lists.length;
    await sleep(400, new AbortController().signal);
    expect(server.lists.length).toBe(lists);
    expect(server.watches).toHaveLength(open + 1);
  });

  it('are not asked for faster than once a second either when each bears something', async () => {
    let version = 10;
    const { server } = await reflect(({ state }) => {
      state.onWatch = (watch: HeldWatch) => {
        version += 1;
        watch.event('BOOKMARK', String(version));
        watch.end();
      };
    });
    await sleep(1000, new AbortController().signal);
    expect(server.watches.length).toBeLessThan(12);
  });

  it.each([
    ['lasted', { cameAnything: false, seconds: 60 }, false],
    ['bore something', { cameAnything: true, seconds: 0.1 }, false],
    ['did neither', { cameAnything: false, seconds: 0.1 }, true],
  ])('are a failure unless they last or bear something: one that %s', (_, outcome, failed) => {
    expect(isFailure(outcome)).toBe(failed);
  });

  it('are waited for ten seconds at most once lists stand for them, and half a minute before', () => {
    expect([mustPoll(2), mustPoll(3)]).toStrictEqual([false, true]);
    expect(pauseAfterFailure(50, 0, 1)).toBe(30);
    expect(pauseAfterFailure(50, 3, 1)).toBe(10);
    expect([restAfterList(0.5), restAfterList(5), restAfterList(60)]).toStrictEqual([0, 20, 30]);
  });
});

const error = `${JSON.stringify({ type: 'ERROR', object: { code: 500, message: 'etcd has no leader' } })}\n`;
describe.each([
  ['an error that is no 410', error],
  ['a line that is no JSON', 'it works\n'],
  ['a line that is null', 'null\n'],
  ['a list', '[]\n'],
  ['an event without an object', '{"type":"MODIFIED"}\n'],
  ['an event of an object without a name', '{"type":"MODIFIED","object":{"metadata":{}}}\n'],
  ['an event of an unknown type', '{"type":"RENAMED","object":{"metadata":{"name":"a","resourceVersion":"11"}}}\n'],
])('a watch that tells %s at one position', (_, line) => {
  it('heals by a list, within 5 s', async () => {
    const { server, did } = await reflect(({ state }) => {
      // Whoever watches from the position meets it again.
      state.onWatch = (watch) => {
        if (watch.from === '10') watch.raw(line);
      };
    });
    await server.watch(0);
    server.state.version = '12';
    expect(await secondsUntil(() => server.watches.some(({ from }) => from === '12'))).toBeLessThan(5);
    await expect.poll(() => did).toStrictEqual(['listed a@10', 'missed', 'listed a@12', 'missed']);
  });

  it('has told what stood before', async () => {
    const { server, did } = await reflect();
    const event = JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'b', resourceVersion: '11' } } });
    (await server.watch(0)).raw(`${event}\n${line}`);
    await expect.poll(() => did[2]).toBe('changed b@11');
  });
});

describe('a watch that is open and silent', () => {
  it('is found blind after 45 s: what happened meanwhile comes at once from where it was', async () => {
    const { server, did } = await reflect();
    await server.watch(0);
    const seconds = await secondsUntil(() => server.watches.length > 1);
    expect(seconds).toBeLessThan(48);
    expect(server.watches[1]?.from).toBe('10');
    server.watches[1]?.event('DELETED', '11');
    await expect.poll(() => did).toContain('changed a@11');
  });

  it('and blind again, as all of them are, does not hide a change for more than 50 s', async () => {
    const { server, did } = await reflect();
    await server.watch(0);
    server.state.version = '20';
    expect(await secondsUntil(() => did.includes('listed a@20'))).toBeLessThan(50);
    // Later changes are seen sooner: lists stand for watches.
    await secondsUntil(() => did.filter((line) => line === 'missed').length > 1);
    server.state.version = '30';
    expect(await secondsUntil(() => did.includes('listed a@30'))).toBeLessThan(20);
  });

  it('of a quiet kind costs its objects no message, and the server a list a minute at most', async () => {
    const { server, did } = await reflect();
    await server.watch(0);
    await sleep(7000, new AbortController().signal);
    expect(did.filter((line) => line.startsWith('listed a'))).toHaveLength(1);
    expect(server.lists.filter((kind) => kind === 'first').length).toBeLessThan(4);
    expect(did.filter((line) => line === 'missed')).toHaveLength(1);
  });

  it('until its end is healthy also when it ends without a bookmark: nothing is listed, no gap is told of', async () => {
    const { server, did, isReady } = await reflect(({ state }) => {
      state.onWatch = (watch) => void setTimeout(() => watch.end(), 4250);
    });
    await server.watch(2);
    expect(server.lists).toStrictEqual(['first', 'look', 'look']);
    expect(did).toStrictEqual(['listed a@10', 'missed']);
    expect(isReady()).toBe(true);
  });

  it('until its end is healthy when it ends with a bookmark: no look, no list, no pause', async () => {
    const { server } = await reflect();
    for (let watches = 0; watches < 2; watches += 1) {
      const watch = await server.watch(watches);
      await sleep(4000, new AbortController().signal);
      watch.event('BOOKMARK', String(20 + watches));
      watch.end();
      server.state.version = '30';
    }
    expect((await server.watch(2)).from).toBe('21');
    expect(server.lists).toStrictEqual(['first']);
  });
});

describe('a server that lags behind the one before', () => {
  it('and lists what it does not tell in watches yet is listened to in both ways', async () => {
    const { server, did } = await reflect();
    const first = await server.watch(0);
    first.event('MODIFIED', '11');
    await expect.poll(() => did.at(-1)).toBe('changed a@11');
    server.state.names = ['a', 'b'];
    server.state.versions = { a: '11', b: '12' };
    server.state.version = '12';
    first.reset();
    expect(await secondsUntil(() => did.includes('listed b@12'))).toBeLessThan(5);
    // Its watch is still behind: what happens next is heard of by the next list.
    const second = await server.watch(1);
    second.event('BOOKMARK', '11');
    // As a server does after the ten seconds that it is asked for.
    setTimeout(() => second.end(), 1000);
    server.state.versions = { a: '13', b: '12' };
    server.state.version = '13';
    expect(await secondsUntil(() => did.some((line) => line.startsWith('listed a@13')))).toBeLessThan(15);
    expect(did.filter((line) => line === 'missed')).toHaveLength(1);
  });

  it('in everything, for 20 s, is no history that went back: it is waited for, and nothing is repeated', async () => {
    const { server, did } = await reflect();
    const first = await server.watch(0);
    first.event('BOOKMARK', '50');
    await expect.poll(() => did.at(-1)).toBe('saved 50');
    first.reset();
    await sleep(2000, new AbortController().signal);
    server.state.version = '51';
    const second = await server.watch(1);
    expect(second.from).toBe('50');
    second.event('MODIFIED', '51', 'b');
    await expect.poll(() => did.at(-1)).toBe('changed b@51');
    expect(did).not.toContain('went back');
  });

  it('for half a minute has lost its history', async () => {
    const { server, did } = await reflect();
    const first = await server.watch(0);
    first.event('BOOKMARK', '50');
    await expect.poll(() => did.at(-1)).toBe('saved 50');
    first.reset();
    expect(await secondsUntil(() => did.includes('went back'))).toBeLessThan(32);
    await expect.poll(() => did.slice(-2)).toStrictEqual(['listed a@10', 'missed']);
  });
});
