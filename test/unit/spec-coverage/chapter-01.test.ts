import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { rows } from '../../contract/crds/chapter-01-table.ts';
import { absent01, apiDifferences, casesOf01, shownAs01 } from '../../parity/differences-01.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Case numbers in the titles of all tests, as `01#12`; many are rows of one table. */
const inTitles: ReadonlySet<string> = new Set([
  ...rows.map(({ number }) => `01#${number}`),
  ...readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') || name.endsWith('contract/crds/chapter-01.ts'))
    .filter((name) => !name.includes('spec-coverage'))
    .flatMap((name) => readFileSync(join(root, name), 'utf8').match(/0\d#\d+/g) ?? []),
]);

const cases = Array.from({ length: casesOf01 }, (_, n) => n + 1);
const isShown = (number: number): boolean =>
  inTitles.has(`01#${number}`) || (shownAs01[number] ?? []).some((elsewhere) => inTitles.has(elsewhere));

describe('spec 01', () => {
  it('has for every case a test or a reason why there is none', () => {
    const holes = cases.filter((number) => !isShown(number) && absent01[number] === undefined);
    expect(holes.map((number) => `01#${number}`)).toEqual([]);
  });

  it('gives no reason for a case that has a test, or that is none', () => {
    const listed = Object.keys(absent01).map(Number);
    expect(listed.filter((number) => isShown(number) || !cases.includes(number))).toEqual([]);
    expect(Object.values(absent01).filter(({ because }) => because === '')).toEqual([]);
  });

  it('points elsewhere only where a test is, and only for cases without one of their own', () => {
    const elsewhere = Object.values(shownAs01).flat();
    expect(elsewhere.filter((number) => !inTitles.has(number))).toEqual([]);
    expect(Object.keys(shownAs01).filter((number) => inTitles.has(`01#${number}`))).toEqual([]);
  });

  it('has its differences in docs/api.md, row by row', () => {
    const page = readFileSync(join(root, '../docs/api.md'), 'utf8');
    const rows = apiDifferences.map(({ kpack, here, because }) => `| ${kpack} | ${here} | ${because} |`);
    expect(rows.filter((row) => !page.includes(row))).toEqual([]);
    expect(page.split('## Differences from kpack')[1]?.match(/^\| /gm)).toHaveLength(rows.length + 2);
  });
});
