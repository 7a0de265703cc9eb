/** What is asked of an API server, and of the source of a credential, while the credential is refused (DESIGN §3.34). Time is the test's. */
import { describe, expect, it } from 'vitest';
import { ExpectedError } from '../../../lib/errors/expected.ts';
import { accessTo } from '../../../lib/kube/access.ts';
import { KubeError } from '../../../lib/kube/errors.ts';
import { followedTransport } from '../../../lib/kube/followed-transport.ts';
import { askAgainSeconds } from '../../../lib/kube/refusal.ts';
import type { KubeRequest } from '../../../lib/kube/transport.ts';

const question: KubeRequest = { method: 'POST', path: '/api/v1/pods' };
const unauthorized = new KubeError('unauthorized', 'POST: Unauthorized', { status: 401 });

/** A source that says `token`, and a server that accepts `accepted`. */
const begin = () => {
  const state = {
    token: 'old',
    accepted: ['old'],
    unreadable: undefined as Error | undefined,
    down: undefined as Error | undefined,
    now: 0,
  };
  const counts = { looks: 0, looksAnew: 0, asked: 0 };
  let held: Promise<void> | undefined;
  const transport = followedTransport({
    source: {
      read: async ({ anew }) => {
        counts[anew ? 'looksAnew' : 'looks'] += 1;
        if (state.unreadable !== undefined) throw state.unreadable;
        return accessTo({ name: 'c', server: 'https://api', skipTLSVerify: false }, { name: 'u', token: state.token });
      },
    },
    clock: () => new Date(state.now),
    random: () => 1,
    connect: (config) => {
      const token = config.getCurrentUser()?.token ?? '';
      return {
        server: 'api',
        send: async () => {
          counts.asked += 1;
          await held;
          if (state.down !== undefined) throw state.down;
          if (state.accepted.includes(token)) return { status: 200, body: token };
          throw unauthorized;
        },
        stream: () => Promise.reject(new Error('not here')),
        close: () => undefined,
      };
    },
  });
  return {
    state,
    counts,
    transport,
    ask: () => transport.send(question),
    later: (seconds: number): void => void (state.now += seconds * 1000),
    /** Answers wait until the gift is called. */
    hold: (): (() => void) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return () => {
        held = undefined;
        resolve();
      };
    },
  };
};

describe('a credential that is refused', () => {
  it('is shown nine times in the first minute, and four times in each after that, however many ask', async () => {
    const { state, counts, ask, later } = begin();
    await ask();
    state.accepted = [];
    counts.asked = 0;
    const perMinute: number[] = [];
    for (let minute = 0; minute < 3; minute += 1) {
      const before = counts.asked;
      for (let half = 0; half < 120; half += 1) {
        // One after the other: those that are under way together are together what the first of them is.
        for (let passes = 0; passes < 3; passes += 1)
          await expect(ask()).rejects.toThrow(/does not accept kpackless' credential/);
        later(0.5);
      }
      perMinute.push(counts.asked - before);
    }
    expect(perMinute).toEqual([9, 4, 4]);
    expect(counts.looksAnew).toBeLessThanOrEqual(60);
  });

  it('is looked for every three seconds: another one is asked with at once', async () => {
    const { state, ask, later } = begin();
    await ask();
    state.accepted = ['new'];
    for (let tenth = 0; tenth < 300; tenth += 1) {
      await expect(ask()).rejects.toThrow('does not accept');
      later(0.1);
    }
    state.token = 'new';
    later(3);
    expect((await ask()).body).toBe('new');
  });

  it('is one refusal for all that were under way, and no failure of any when there is another one', async () => {
    const { state, counts, ask, hold } = begin();
    await ask();
    Object.assign(state, { accepted: ['new'], token: 'new' });
    counts.asked = 0;
    const go = hold();
    const asking = Array.from({ length: 20 }, ask);
    await new Promise((resolve) => setTimeout(resolve, 5));
    go();
    expect((await Promise.all(asking)).map(({ body }) => body)).toEqual(Array.from({ length: 20 }, () => 'new'));
    expect(counts).toMatchObject({ asked: 40, looksAnew: 1 });
  });

  it('is found accepted again by one request, for which the others wait', async () => {
    const { state, counts, ask, later, hold } = begin();
    await ask();
    state.accepted = [];
    await expect(ask()).rejects.toThrow('does not accept');
    state.accepted = ['old'];
    later(2);
    counts.asked = 0;
    const go = hold();
    const asking = Array.from({ length: 20 }, ask);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(counts.asked).toBe(1);
    go();
    await Promise.all(asking);
    expect(counts.asked).toBe(20);
  });

  it('of a server that is then away keeps nobody from asking', async () => {
    const { state, ask, later } = begin();
    await ask();
    state.accepted = [];
    await expect(ask()).rejects.toThrow('does not accept');
    later(2);
    state.down = new KubeError('unreachable', 'POST: cannot reach');
    await expect(ask()).rejects.toThrow('cannot reach');
    await expect(ask()).rejects.toThrow('cannot reach');
  });

  it('is no secret in what is said of it', async () => {
    const { state, ask } = begin();
    Object.assign(state, { token: 'planted-secret', accepted: [] });
    const error = await ask().catch((why: unknown) => why);
    expect(JSON.stringify([error, String(error)])).not.toContain('planted-secret');
  });

  it('lets who waits know when it is worth asking: at once after a change, and never while nothing is refused', async () => {
    const { state, transport, ask, later } = begin();
    const signal = AbortSignal.timeout(5000);
    await ask();
    expect(transport.refusalOver?.(signal)).toBeUndefined();
    state.accepted = ['new'];
    await expect(ask()).rejects.toThrow('does not accept');
    state.token = 'new';
    later(3);
    await transport.refusalOver?.(signal);
    expect((await ask()).body).toBe('new');
    expect(transport.refusalOver?.(signal)).toBeUndefined();
  });
});

describe('a source', () => {
  it('is read each ten seconds of use, and not at each request', async () => {
    const { counts, ask, later } = begin();
    for (let second = 0; second < 60; second += 1) {
      for (let requests = 0; requests < 5; requests += 1) await ask();
      later(1);
    }
    expect(counts).toMatchObject({ looks: 6, looksAnew: 0 });
  });

  it('that cannot be read just now leaves what is known', async () => {
    const { state, ask, later } = begin();
    await ask();
    state.unreadable = new ExpectedError('half written');
    later(10);
    expect((await ask()).body).toBe('old');
    state.accepted = ['new'];
    await expect(ask()).rejects.toThrow('does not accept');
    Object.assign(state, { unreadable: undefined, token: 'new' });
    later(3);
    expect((await ask()).body).toBe('new');
  });

  it('that was never readable says so to each, and is read again after three seconds', async () => {
    const { state, counts, transport, ask, later } = begin();
    state.unreadable = new ExpectedError('there is no such file');
    for (let requests = 0; requests < 10; requests += 1) await expect(ask()).rejects.toThrow('no such file');
    expect(counts.looks).toBe(1);
    state.unreadable = undefined;
    later(3);
    await transport.refusalOver?.(AbortSignal.timeout(5000));
    expect((await ask()).body).toBe('old');
  });
});

it('the same credential is shown again after 1, 1.5, 2.25 … seconds, and a quarter of a minute at most', () => {
  expect([1, 2, 3, 20].map((times) => askAgainSeconds(times, 1))).toEqual([1, 1.5, 2.25, 15]);
  expect(askAgainSeconds(1000, 0)).toBe(11.25);
});
