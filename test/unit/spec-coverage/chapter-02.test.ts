import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { absent02, casesOf02, shownAs02 } from '../../parity/differences-02.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Case numbers in the titles of all tests, as `02#12`. */
const inTitles: ReadonlySet<string> = new Set(
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !name.includes('spec-coverage'))
    .flatMap((name) => readFileSync(join(root, name), 'utf8').match(/0\d#\d+/g) ?? []),
);

const cases = Array.from({ length: casesOf02 }, (_, n) => n + 1);
const isShown = (number: number): boolean =>
  inTitles.has(`02#${number}`) || (shownAs02[number] ?? []).some((elsewhere) => inTitles.has(elsewhere));

describe('spec 02', () => {
  it('has for every case a test or a reason why there is none', () => {
    const holes = cases.filter((number) => !isShown(number) && absent02[number] === undefined);
    expect(holes.map((number) => `02#${number}`)).toEqual([]);
  });

  it('gives no reason for a case that has a test, or that is none', () => {
    const listed = Object.keys(absent02).map(Number);
    expect(listed.filter((number) => isShown(number) || !cases.includes(number))).toEqual([]);
    expect(Object.values(absent02).filter(({ because }) => because === '')).toEqual([]);
  });

  it('points elsewhere only where a test is, and only for cases without one of their own', () => {
    const elsewhere = Object.values(shownAs02).flat();
    expect(elsewhere.filter((number) => !inTitles.has(number))).toEqual([]);
    expect(Object.keys(shownAs02).filter((number) => inTitles.has(`02#${number}`))).toEqual([]);
  });
});
