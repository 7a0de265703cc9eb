import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { absent03, casesOf03, differences03, shownAs03 } from '../../parity/differences-03.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Case numbers in the titles of all tests, as `03#12`. */
const inTitles: ReadonlySet<string> = new Set(
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !name.includes('spec-coverage'))
    .flatMap((name) => readFileSync(join(root, name), 'utf8').match(/0\d#\d+/g) ?? []),
);

const cases = Array.from({ length: casesOf03 }, (_, n) => n + 1);
const isShown = (number: number): boolean =>
  inTitles.has(`03#${number}`) || (shownAs03[number] ?? []).some((elsewhere) => inTitles.has(elsewhere));

describe('spec 03', () => {
  it('has for every case a test or a reason why there is none', () => {
    const holes = cases.filter((number) => !isShown(number) && absent03[number] === undefined);
    expect(holes.map((number) => `03#${number}`)).toEqual([]);
  });

  it('gives no reason for a case that has a test, or that is none', () => {
    const listed = Object.keys(absent03).map(Number);
    expect(listed.filter((number) => isShown(number) || !cases.includes(number))).toEqual([]);
  });

  it('points elsewhere only where a test is, and only for cases without one of their own', () => {
    expect(
      Object.values(shownAs03)
        .flat()
        .filter((number) => !inTitles.has(number)),
    ).toEqual([]);
    expect(Object.keys(shownAs03).filter((number) => inTitles.has(`03#${number}`))).toEqual([]);
  });

  it('lists differences of cases that have a test, each with a reason', () => {
    expect(
      Object.keys(differences03)
        .map(Number)
        .filter((number) => !isShown(number)),
    ).toEqual([]);
    const entries = [...Object.values(absent03), ...Object.values(differences03)];
    expect(entries.filter(({ because }) => because === '')).toEqual([]);
  });
});
