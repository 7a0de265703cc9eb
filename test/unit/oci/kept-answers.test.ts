import { describe, expect, it } from 'vitest';
import { keptAnswers } from '../../../lib/oci/kept-answers.ts';

describe('answers with an end', () => {
  const world = (most = 10) => {
    let nowMs = 0;
    let asked = 0;
    const kept = keptAnswers<number>({ most, failureMs: 30, now: () => nowMs });
    const get = (key: string, untilMs = 100) => kept(key, () => Promise.resolve({ value: ++asked, untilMs }));
    return { kept, get, at: (ms: number) => (nowMs = ms) };
  };

  it('are asked for once by many at once, and again after their end', async () => {
    const { get, at } = world();
    expect(await Promise.all([get('a'), get('a'), get('b')])).toEqual([1, 1, 2]);
    at(99);
    expect(await get('a')).toBe(1);
    at(100);
    expect(await get('a')).toBe(3);
  });

  it('that fail are believed for a while', async () => {
    const { kept, get, at } = world();
    await expect(kept('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(get('a')).rejects.toThrow('no');
    at(30);
    expect(await get('a')).toBe(1);
  });

  it('are few, whatever is asked for', async () => {
    const { get } = world(2);
    for (const key of ['a', 'b', 'c']) await get(key);
    expect(await get('c')).toBe(3);
    expect(await get('a')).toBe(4);
  });
});
