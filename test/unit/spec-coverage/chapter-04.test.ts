import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { casesOf04, differences04, shownAs } from '../../parity/differences-04.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Case numbers in the titles of all tests, as `04#12`. */
const inTitles: ReadonlySet<string> = new Set(
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !name.includes('spec-coverage'))
    .flatMap((name) => readFileSync(join(root, name), 'utf8').match(/0\d#\d+/g) ?? []),
);

const cases = Array.from({ length: casesOf04 }, (_, n) => n + 1);
const hasTest = (number: number): boolean =>
  inTitles.has(`04#${number}`) || (shownAs[number] ?? []).some((elsewhere) => inTitles.has(elsewhere));

describe('spec 04', () => {
  it('has a test for every case', () => {
    expect(cases.filter((number) => !hasTest(number)).map((number) => `04#${number}`)).toEqual([]);
  });

  it('points only to tests that are there, and only for cases without one of their own', () => {
    expect(
      Object.values(shownAs)
        .flat()
        .filter((elsewhere) => !inTitles.has(elsewhere)),
    ).toEqual([]);
    expect(Object.keys(shownAs).filter((number) => inTitles.has(`04#${number}`))).toEqual([]);
  });

  it('lists differences of cases that exist, each with a reason', () => {
    expect(Object.keys(differences04).filter((number) => !cases.includes(Number(number)))).toEqual([]);
    expect(Object.values(differences04).filter(({ because }) => because === '')).toEqual([]);
  });
});
