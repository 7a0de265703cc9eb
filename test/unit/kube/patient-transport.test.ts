/** A call that meets what passes gets through within its pass, and a cluster counts as down only when it answers nobody (DESIGN §3.33). */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KubeError, saysClusterIsDown } from '../../../lib/kube/errors.ts';
import { usualRate } from '../../../lib/kube/pace.ts';
import { Patience, type Waits } from '../../../lib/kube/patient-transport.ts';
import type { KubeRequest, KubeTransport } from '../../../lib/kube/transport.ts';

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

const throttled = (retryAfterSeconds?: number) => new KubeError('throttled', 'x', { status: 429, retryAfterSeconds });
const reset = () =>
  new KubeError('unreachable', 'x', { cause: Object.assign(new Error('x'), { code: 'ECONNRESET' }), host: 'one' });

/** A server whose answers a test gives in turn, undefined for a good one; good ones follow. */
const begin = (rate = usualRate) => {
  const answers: (Error | undefined)[] = [];
  const asked: number[] = [];
  const told: Waits[] = [];
  const patience = new Patience(rate, {
    clock: () => new Date(),
    random: () => 0.5,
    waited: (waits) => void told.push(waits),
  });
  const answer = async (): Promise<{ status: number; body: string }> => {
    asked.push(Date.now());
    const failure = answers.shift();
    if (failure !== undefined) throw failure;
    return { status: 200, body: '{}' };
  };
  const transport: KubeTransport = patience.around({
    server: 'one',
    send: answer,
    stream: async () => answer() as never,
    close: () => undefined,
  });
  const send = (more: Partial<KubeRequest> = {}) =>
    transport.send({ method: 'GET', path: '/x', ...more }).catch((error: unknown) => error);
  return { answers, asked, told, transport, send };
};
const after = async <T>(milliseconds: number, work: Promise<T>): Promise<T> => {
  await vi.advanceTimersByTimeAsync(milliseconds);
  return work;
};

describe('a call', () => {
  it('that is refused four times gets through in about a second', async () => {
    const { answers, asked, send } = begin();
    answers.push(throttled(), new KubeError('server', 'x', { status: 500 }), reset(), throttled());
    expect(await after(1125, send({ method: 'POST' }))).toMatchObject({ status: 200 });
    expect(asked).toStrictEqual([0, 75, 225, 525, 1125]);
  });

  it('waits as long as it is asked to', async () => {
    const { answers, asked, send } = begin();
    answers.push(throttled(2));
    await after(2050, send());
    expect(asked).toStrictEqual([0, 2050]);
  });

  it('fails when its pass has no time for another try, at once', async () => {
    const { answers, asked, send } = begin();
    answers.push(throttled(2));
    expect(await send({ until: 2000 })).toMatchObject({ code: 'throttled' });
    expect(asked).toStrictEqual([0]);
  });

  it('ends its wait with its pass', async () => {
    const { answers, asked, send } = begin();
    answers.push(throttled(2));
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 100);
    expect(await after(100, send({ signal: stop.signal }))).toMatchObject({ code: 'throttled' });
    expect(asked).toStrictEqual([0]);
  });

  it('of a stream is made again as well', async () => {
    const { answers, asked, transport } = begin();
    answers.push(throttled());
    await after(75, transport.stream({ method: 'GET', path: '/x' }));
    expect(asked).toStrictEqual([0, 75]);
  });

  it('waits for its place, and not for one that comes after its pass', async () => {
    const { asked, send } = begin({ perSecond: 2, burst: 1 });
    await send();
    const waiting = send();
    expect(await send({ until: 900 })).toMatchObject({ code: 'throttled', retryAfterSeconds: 1 });
    await after(500, waiting);
    expect(asked).toStrictEqual([0, 500]);
  });
});

describe('a cluster', () => {
  it('that throttles is there, however often it says so', async () => {
    const { answers, send } = begin();
    answers.push(...Array.from({ length: 5 }, () => throttled()));
    expect(saysClusterIsDown(await after(2000, send()))).toBe(false);
  });

  it('that answers nobody is down', async () => {
    const { answers, send } = begin();
    answers.push(...Array.from({ length: 5 }, reset));
    expect(saysClusterIsDown(await after(2000, send()))).toBe(true);
  });

  it('that answers others meanwhile is not, nor one that has answered two seconds before', async () => {
    const { answers, send } = begin();
    const failing = Array.from({ length: 5 }, reset);
    answers.push(...failing.splice(0, 1));
    const alone = send();
    await send();
    answers.push(...failing);
    const error = await after(2000, alone);
    expect(error).toMatchObject({ code: 'unreachable' });
    expect(saysClusterIsDown(error)).toBe(false);
    await send();
    answers.push(...Array.from({ length: 5 }, reset));
    expect(saysClusterIsDown(await after(1500, send()))).toBe(false);
    await vi.advanceTimersByTimeAsync(1000);
    answers.push(...Array.from({ length: 5 }, reset));
    expect(saysClusterIsDown(await after(1500, send()))).toBe(true);
  });
});

describe('waits', () => {
  it('are counted, and told at the first call ten seconds later', async () => {
    const { answers, told, send } = begin();
    answers.push(throttled(), reset());
    await after(1000, send());
    expect(told).toStrictEqual([]);
    await vi.advanceTimersByTimeAsync(9000);
    await send();
    expect(told).toMatchObject([{ refused: 1, repeated: 2, waitedMilliseconds: 75 + 150 }]);
    await vi.advanceTimersByTimeAsync(20_000);
    await send();
    expect(told).toHaveLength(1);
  });
});
