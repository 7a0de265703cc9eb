/** Nothing cites what is not there, and every case of the specification has a test that carries its number, or a reason why there is none. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { rows } from '../../contract/crds/chapter-01-table.ts';
import { type Citation, citationsIn, type Page, shown, unreadableIn } from './citations.ts';
import { citedPage, testsIn } from './pages.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const chapters: Readonly<Record<Page, string>> = {
  '01': 'docs/spec/01-api.md',
  '02': 'docs/spec/02-images-and-sources.md',
  '03': 'docs/spec/03-build-pods.md',
  '04': 'docs/spec/04-builders-and-registries.md',
  '05': 'docs/spec/05-operations.md',
  '06': 'docs/spec/06-aws.md',
  '07': 'docs/spec/07-local-cluster.md',
  '08': 'docs/spec/08-step-image.md',
};
const pages: Readonly<Record<Page, string>> = { design: 'docs/design.md', ...chapters };

/** A page that is missing leads nowhere. */
const cited = new Map(
  Object.entries(pages).map(([page, path]) => [page, citedPage(existsSync(join(root, path)) ? read(path) : '')]),
);

const isText = (path: string): boolean => /\.(?:ts|md|ya?ml|go|py|java)$/.test(path);
/** Recordings are others' words; these files are about citations, and their examples cite nothing. */
const isLeftOut = (path: string): boolean =>
  path.includes('node_modules') ||
  (path.startsWith('test/recordings/') && !path.endsWith('.md')) ||
  path.startsWith('test/unit/docs/');
const files: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  'serverless.yml',
  ...['lib', 'functions', 'infra', 'test', 'docs'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  ),
].filter((path) => isText(path) && !isLeftOut(path) && existsSync(join(root, path)));
const texts = files.map((path) => ({ path, text: read(path) }));

/** Within a page of ours a bare `§` is its own. */
const pageAt = (path: string): Page | undefined => Object.keys(pages).find((page) => pages[page] === path);

const leadsSomewhere = ({ page, section, caseNumber }: Citation): boolean => {
  const found = cited.get(page);
  if (caseNumber !== undefined)
    return (
      found?.sharpEdges.has(caseNumber) === true ||
      found?.cases.some(({ number }) => String(number) === caseNumber) === true
    );
  return section === undefined ? (found?.sections.size ?? 0) > 0 : (found?.sections.has(section) ?? false);
};

describe('pages that are cited', () => {
  it('are all there, each with numbered sections', () => {
    expect(Object.keys(pages).filter((page) => cited.get(page)?.sections.size === 0)).toEqual([]);
  });
});

describe('a citation', () => {
  const all = texts.flatMap(({ path, text }) => citationsIn(text, pageAt(path)).map((one) => ({ path, one })));

  it('leads to a section or a case that is there', () => {
    expect(all.length).toBeGreaterThan(1000);
    const dead = all.filter(({ one }) => !leadsSomewhere(one)).map(({ path, one }) => `${path}: ${shown(one)}`);
    expect([...new Set(dead)]).toEqual([]);
  });

  it('is written so that it can be followed', () => {
    expect(texts.flatMap(({ path, text }) => unreadableIn(text).map((form) => `${path}: ${form}`))).toEqual([]);
  });
});

/** How many cases each chapter has that has any: none is dropped unseen. */
const counts = { '01': 105, '02': 218, '03': 198, '04': 148, '05': 60 };

describe.each(Object.entries(counts))('the cases of spec %s', (chapter, count) => {
  const { cases } = cited.get(chapter) ?? citedPage('');

  it('are all there, each once', () => {
    const inOrder = cases.map(({ number }) => number).toSorted((a, b) => a - b);
    expect(inOrder).toEqual(Array.from({ length: count }, (_, index) => index + 1));
  });

  it('each have a test, the case of another chapter that has one, or a reason', () => {
    const bare = cases.filter(
      ({ shownBy }) => testsIn(shownBy).length === 0 && !/\b0\d#\d/.test(shownBy) && !isReason(shownBy),
    );
    expect(bare.map(({ number }) => `${chapter}#${number}`)).toEqual([]);
  });

  it('that another case shows have one with a test of its own', () => {
    const referring = cases.filter(({ shownBy }) => testsIn(shownBy).length === 0 && !isReason(shownBy));
    const elsewhere = referring.flatMap(({ number, shownBy }) =>
      [...shownBy.matchAll(/\b(0\d)#(\d+)/g)].map(([, page = '', other]) => ({ number, page, other: Number(other) })),
    );
    const isShown = (page: Page, other: number): boolean =>
      cited.get(page)?.cases.some(({ number, shownBy }) => number === other && testsIn(shownBy).length > 0) ?? false;
    const wrong = elsewhere.filter(({ page, other }) => !isShown(page, other));
    expect(wrong.map(({ number, page, other }) => `${chapter}#${number}: ${page}#${other}`)).toEqual([]);
  });

  it('that are not reproduced are in no test', () => {
    const tested = new Set(texts.flatMap(({ path }) => (path.endsWith('.test.ts') ? [...numbersIn(path)] : [])));
    const wrong = cases.filter(({ number, shownBy }) => isReason(shownBy) && tested.has(`${chapter}#${number}`));
    expect(wrong.map(({ number }) => `${chapter}#${number}`)).toEqual([]);
  });

  it('are named in the tests that are said to show them', () => {
    const isNamedIn = (test: string, number: number): boolean =>
      existsSync(join(root, test)) && numbersIn(test).has(`${chapter}#${number}`);
    const shownHere = cases.filter(({ shownBy }) => !isReason(shownBy));
    const wrong = shownHere.flatMap(({ number, shownBy }) =>
      testsIn(shownBy).flatMap((test) => (isNamedIn(test, number) ? [] : [`${chapter}#${number}: ${test}`])),
    );
    expect(wrong).toEqual([]);
  });
});

/** Such a row may name a test of something near. */
function isReason(shownBy: string): boolean {
  return /^not reproduced: \S/.test(shownBy);
}

const tableOf01 = 'test/contract/crds/chapter-01-table.ts';
const numbers = new Map<string, ReadonlySet<string>>();

/** Cases that a test names. Those that are rows of a table have their numbers there. */
function numbersIn(test: string): ReadonlySet<string> {
  const known = numbers.get(test);
  if (known !== undefined) return known;
  const text = read(test);
  const ofTable = test === tableOf01 ? rows.map(({ number }) => `01#${number}`) : [];
  const found = new Set([...(text.match(/0\d#\d+/g) ?? []), ...ofTable]);
  numbers.set(test, found);
  return found;
}
