/** List and watch: nothing is marked as handed on before it is, and nothing is waited for that cannot come (DESIGN §3.11). */
import { afterEach, describe, expect, it } from 'vitest';
import type { ReflectorPorts } from '../../../lib/kube/reflector.ts';
import { isNewer } from '../../../lib/kube/versions.ts';
import { parseWatchLine, watchEvents } from '../../../lib/kube/watch-events.ts';
import { pauseSeconds, usualTimes } from '../../../lib/kube/watch-times.ts';
import { reflecting } from '../../support/reflecting.ts';
import type { WatchServer } from '../../support/watch-server.ts';

let running: Awaited<ReturnType<typeof reflecting>> | undefined;
afterEach(() => running?.[Symbol.asyncDispose]());

/** Who believes at once that a history went back. */
const impatient = { ...usualTimes, behindSeconds: 0 };

/** A reflector that ends with the test. */
const reflect = async (...given: Parameters<typeof reflecting>) => {
  running = await reflecting(...given);
  return running;
};

describe('after an outage', () => {
  /** Seconds until the first try after the server is back, when each failed try costs nothing but its pause. */
  const lateness = (outage: number, random: number): number => {
    let now = 0;
    for (let failures = 1; now < outage; failures += 1) now += pauseSeconds(failures, random);
    return now - outage;
  };

  it.each([0, 0.5, 0.99])('of up to 15 s the watch is tried again within 8 s, whatever the dice say (%d)', (random) => {
    const lates = Array.from({ length: 150 }, (_, tenths) => lateness(tenths / 10, random));
    expect(Math.max(...lates)).toBeLessThan(8);
  });

  it('of an hour the server was asked some 150 times by a watch, and is found within half a minute', () => {
    expect(lateness(3600, 0.99)).toBeLessThanOrEqual(30);
    expect(pauseSeconds(1, 0.99)).toBeLessThanOrEqual(1);
    expect(pauseSeconds(50, 0)).toBe(15);
    expect(pauseSeconds(5000, 1)).toBe(30);
  });
});

/** A reflector that has failed so often that it waits for long; gives its pauses, in seconds. */
const longAway = async (ports: Partial<ReflectorPorts> = {}) => {
  const pauses: number[] = [];
  const reflecting = await reflect(
    { random: () => 1, pause: async (milliseconds) => void pauses.push(milliseconds / 1000), ...ports },
    (server) => {
      for (let refusals = 0; refusals < 6; refusals += 1) server.refuse('list', 503);
    },
  );
  return { ...reflecting, pauses };
};

describe('after a long outage', () => {
  it('a server that knows no old version any more is listed at once: that is no failure, unless it goes on', async () => {
    const { server, pauses } = await longAway();
    const expired = `${JSON.stringify({ type: 'ERROR', object: { code: 410, message: 'too old' } })}\n`;
    (await server.watch(0)).raw(expired);
    (await server.watch(1)).raw(expired);
    (await server.watch(2)).raw(expired);
    await server.watch(3);
    expect(pauses.slice(5)).toStrictEqual([1.5 ** 5, 1, 1.5]);
  });

  it('a watch that is told in its pause that the server is back, and finds it half there, counts anew', async () => {
    const pauses: number[] = [];
    const { server } = await longAway({
      timesBack: () => (pauses.length >= 4 ? 1 : 0),
      pause: async (milliseconds) => void pauses.push(milliseconds / 1000),
    });
    await server.watch(0);
    expect(pauses).toStrictEqual([1, 1.5, 1.5 ** 2, 1.5 ** 3, 1, 1.5]);
  });

  it('a watch that was just asking when another found the server back does not pause as if nobody had', async () => {
    let asked = 0;
    let timesBack = 0;
    // The fifth try is under way when the server is found back.
    const { server, pauses } = await longAway({
      timesBack: () => timesBack,
      warn: () => {
        asked += 1;
        if (asked === 5) timesBack = 1;
      },
    });
    await server.watch(0);
    expect(pauses).toStrictEqual([1, 1.5, 1.5 ** 2, 1.5 ** 3, 1, 1.5]);
  });
});

describe('a reflector', () => {
  it('watches a collection that is empty', async () => {
    const { server, did } = await reflect({}, ({ state }) => {
      state.names = [];
    });
    (await server.watch(0)).event('ADDED', '11');
    await expect.poll(() => did).toStrictEqual(['listed ', 'missed', 'changed a@11']);
  });

  it('keeps of an object what pointers are made of, and nothing of its annotations or managed fields', () => {
    const line = {
      name: 'a',
      namespace: 'b',
      uid: 'u',
      resourceVersion: '1',
      annotations: { a: 'long' },
      managedFields: [{}],
    };
    const event = parseWatchLine(JSON.stringify({ type: 'MODIFIED', object: { metadata: line } }));
    expect(event).toMatchObject({
      object: { metadata: { name: 'a', namespace: 'b', uid: 'u', resourceVersion: '1' } },
    });
    expect(JSON.stringify(event)).not.toMatch(/long|managedFields/);
  });

  it('lists in pages, each handed on before the next is asked for', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { server, did } = await reflect({ listed: () => held }, ({ state }) => {
      state.names = ['a', 'b', 'c'];
      state.pageSize = 2;
    });
    await expect.poll(() => server.lists).toStrictEqual(['first']);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(server.lists).toStrictEqual(['first']);
    release();
    await server.watch(0);
    expect(server.lists).toStrictEqual(['first', '2']);
    expect(did).toStrictEqual(['missed']);
  });

  it('saves a checkpoint at a bookmark, and only what was handed on before', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { server, did } = await reflect({ changed: () => held });
    const watch = await server.watch(0);
    watch.event('MODIFIED', '11');
    watch.event('BOOKMARK', '12');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(did).not.toContain('saved 12');
    release();
    await expect.poll(() => did.at(-1)).toBe('saved 12');
  });

  it('goes on where it was after a break: nothing in between is lost, nothing before is repeated', async () => {
    const { server, did } = await reflect();
    const watch = await server.watch(0);
    watch.event('MODIFIED', '11');
    await expect.poll(() => did.at(-1)).toBe('changed a@11');
    server.state.version = '15';
    watch.reset();
    expect((await server.watch(1)).from).toBe('11');
    expect(server.lists).toStrictEqual(['first', 'look']);
  });

  it('events that the queues did not take are read again', async () => {
    let isDown = true;
    const { server, did } = await reflect({
      changed: async (changes) => {
        if (isDown) throw new Error('SQS is down');
        did.push(`took ${changes.length}`);
      },
    });
    (await server.watch(0)).event('MODIFIED', '11');
    server.state.version = '11';
    const again = await server.watch(1);
    expect(again.from).toBe('10');
    isDown = false;
    again.event('MODIFIED', '11');
    await expect.poll(() => did.at(-1)).toBe('took 1');
  });

  it.each([
    ['as a status', (server: WatchServer) => server.refuse('watch', 410)],
    ['in the stream', () => undefined],
  ])('an expired version (410 %s) lists anew', async (how, prepare) => {
    const { server, did } = await reflect({}, prepare);
    if (how === 'in the stream')
      (await server.watch(0)).raw(`${JSON.stringify({ type: 'ERROR', object: { code: 410, message: 'too old' } })}\n`);
    const listed = (): number => did.filter((line) => line.startsWith('listed')).length;
    await expect.poll(listed, { timeout: 4000 }).toBe(2);
    expect(server.lists.filter((kind) => kind === 'first')).toHaveLength(2);
  });

  it('starts from its checkpoint beside the list, so that deletions in between are seen', async () => {
    const { server, did } = await reflect({ loadCheckpoint: async () => '7' });
    const watch = await server.watch(0);
    expect(watch.from).toBe('7');
    watch.event('DELETED', '9', 'gone');
    await expect.poll(() => did.at(-1)).toBe('changed gone@9');
    expect(did.toSorted()).toStrictEqual(['changed gone@9', 'listed a@10']);
  });

  it('what happens while a start hands on thousands is handed on at once, and the list goes on to its end', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { server, did, isReady } = await reflect(
      { loadCheckpoint: async () => '7', listed: ({ objects }) => held.then(() => void did.push(`${objects.length}`)) },
      ({ state }) => {
        state.names = ['a', 'b', 'c'];
        state.pageSize = 1;
      },
    );
    (await server.watch(0)).event('ADDED', '11', 'urgent');
    await expect.poll(() => did).toStrictEqual(['changed urgent@11']);
    expect(isReady()).toBe(true);
    release();
    await expect.poll(() => did).toStrictEqual(['changed urgent@11', '1', '1', '1']);
  });

  it('a start’s list that the queues do not take is made again, and the watch goes on meanwhile', async () => {
    let tries = 0;
    const listed = async (): Promise<void> => {
      tries += 1;
      if (tries < 3) throw new Error('SQS is down');
    };
    const { server, did } = await reflect(
      { loadCheckpoint: async () => '7', listed, pause: async () => undefined },
      ({ state }) => void (state.version = '11'),
    );
    (await server.watch(0)).event('ADDED', '11', 'urgent');
    await expect.poll(() => did).toStrictEqual(['changed urgent@11']);
    await expect.poll(() => tries).toBe(3);
    expect(server.lists).toStrictEqual(['look', 'first', 'first', 'first']);
  });

  it('a history that went back before the start is a new epoch before anything is listed', async () => {
    const { server, did } = await reflect({ loadCheckpoint: async () => '5000', times: impatient });
    expect((await server.watch(0)).from).toBe('10');
    expect(did.slice(0, 2)).toStrictEqual(['went back', 'listed a@10']);
  });

  it('a history that goes back while it runs is found out, instead of a watch that hangs for ever', async () => {
    const { server, did } = await reflect({ times: impatient });
    const watch = await server.watch(0);
    watch.event('BOOKMARK', '5000');
    await expect.poll(() => did.at(-1)).toBe('saved 5000');
    server.state.version = '40';
    watch.end();
    expect((await server.watch(1)).from).toBe('40');
    expect(did.slice(-3)).toStrictEqual(['went back', 'listed a@40', 'missed']);
  });

  it('does not read on while the queues take nothing', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { server } = await reflect({ changed: () => held });
    const watch = await server.watch(0);
    const bulk = `${JSON.stringify({ type: 'MODIFIED', object: { metadata: { name: 'a', resourceVersion: '11', annotations: { x: 'y'.repeat(100_000) } } } })}\n`;
    for (let sent = 0; sent < 200; sent += 1) watch.raw(bulk);
    await new Promise((resolve) => setTimeout(resolve, 200));
    // 20 MB were written; sockets hold a few.
    expect(watch.waiting).toBeGreaterThan(5_000_000);
    release();
  });

  it('a line that never ends is not collected for ever', async () => {
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      for (;;) yield Buffer.alloc(256 * 1024, 'x');
    };
    await expect(watchEvents(endless()).next()).rejects.toThrow('longer than');
  });

  it('a checkpoint that cannot be saved does not stop the events', async () => {
    const { server, did } = await reflect({ saveCheckpoint: () => Promise.reject(new Error('the store is down')) });
    const watch = await server.watch(0);
    watch.event('BOOKMARK', '12');
    watch.event('MODIFIED', '13');
    await expect.poll(() => did.at(-1)).toBe('changed a@13');
    expect(server.watches).toHaveLength(1);
  });

  it('ends at once when it is told to, in the middle of a watch', async () => {
    const { server, end } = await reflect();
    await server.watch(0);
    const before = performance.now();
    await end();
    expect(performance.now() - before).toBeLessThan(10_000);
  });
});

describe('watch lines', () => {
  it('split across chunks and letters are put together', async () => {
    const line = Buffer.from(`${JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'größe' } } })}\n`);
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      for (const byte of line) yield Uint8Array.of(byte);
    };
    const events = await Array.fromAsync(watchEvents(chunks()));
    expect(events.flat()).toStrictEqual([parseWatchLine(line.toString())]);
  });

  it.each([
    ['9', '10', false],
    ['10', '9', true],
    ['10', '10', false],
    ['340282366920938463463374607431768211455', '18446744073709551615', true],
    ['abc', '1', false],
    ['1', '', false],
  ])('%s is newer than %s: %s', (a, b, expected) => {
    expect(isNewer(a, b)).toBe(expected);
  });
});
