/** Gaps are told of together, and none is forgotten by whoever dies or fails in between. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Gaps } from '../../../lib/relay/gaps.ts';

let stop: AbortController;
beforeEach(() => {
  vi.useFakeTimers();
  stop = new AbortController();
});
afterEach(() => {
  stop.abort();
  vi.useRealTimers();
});

const begin = (accept: (nth: number) => boolean = () => true) => {
  const told: (readonly string[])[] = [];
  let tries = 0;
  const gaps = new Gaps(
    {
      tell: async (kinds) => {
        tries += 1;
        if (!accept(tries)) throw new Error('the queue is away');
        told.push(kinds);
      },
      warn: () => undefined,
    },
    stop.signal,
  );
  return { gaps, told };
};

it('kinds that are listed anew within two seconds are told of together', async () => {
  const { gaps, told } = begin();
  for (const kind of ['Pod', 'Build', 'SourceResolver', 'Build']) {
    gaps.missed(kind);
    await vi.advanceTimersByTimeAsync(400);
  }
  await vi.advanceTimersByTimeAsync(2000);
  expect(told).toStrictEqual([['Pod', 'Build', 'SourceResolver']]);
});

it('no checkpoint may move before the gap is told of, also when the queue is away at first', async () => {
  const { gaps, told } = begin((nth) => nth > 2);
  gaps.missed('Pod');
  expect([gaps.isTold('Pod'), gaps.isTold('Image')]).toStrictEqual([false, true]);
  await vi.advanceTimersByTimeAsync(4100);
  expect([told, gaps.isTold('Pod')]).toStrictEqual([[], false]);
  await vi.advanceTimersByTimeAsync(2000);
  expect([told, gaps.isTold('Pod')]).toStrictEqual([[['Pod']], true]);
});

it('one that is not told of before the end moves no checkpoint: the next start finds the gap again', async () => {
  const { gaps, told } = begin();
  gaps.missed('Pod');
  stop.abort();
  await vi.advanceTimersByTimeAsync(5000);
  expect([gaps.isTold('Pod'), told]).toStrictEqual([false, []]);
});

it('what is missed again, while it is told of or later, is told of again', async () => {
  let during = (): void => undefined;
  const { gaps, told } = begin((nth) => {
    if (nth === 1) during();
    return true;
  });
  during = () => gaps.missed('Pod');
  gaps.missed('Pod');
  await vi.advanceTimersByTimeAsync(2000);
  expect(gaps.isTold('Pod')).toBe(false);
  await vi.advanceTimersByTimeAsync(2000);
  gaps.missed('Pod');
  await vi.advanceTimersByTimeAsync(2000);
  expect([told, gaps.isTold('Pod')]).toStrictEqual([[['Pod'], ['Pod'], ['Pod']], true]);
});
