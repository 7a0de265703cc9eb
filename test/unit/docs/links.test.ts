/** A link in a page leads to a file that is there, and to a heading that it has. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const pages = globSync(['*.md', '{docs,infra,lib,test}/**/*.md'], { cwd: root });
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Code is no page: brackets and parentheses in it are no link. */
const withoutCode = (text: string): string => text.replaceAll(/```[\s\S]*?```|`[^`\n]*`/g, '');

const linksIn = (page: string): readonly string[] =>
  [...withoutCode(read(page)).matchAll(/\]\((?<to>[^)\s]+)\)/g)]
    .map(({ groups = {} }) => groups['to'] ?? '')
    .filter((to) => !/^[a-z]+:/.test(to));

/** Paths from the root that a page has as code; `*` stands for any name, `STAGE` for a setting. */
const pathsIn = (page: string): readonly string[] =>
  [...read(page).matchAll(/`(?<path>(?:lib|functions|infra|test)\/[\w./*-]+)`/g)].map(
    ({ groups = {} }) => groups['path'] ?? '',
  );

/** As GitHub makes them: lower case, blanks as hyphens, without punctuation. */
const anchorOf = (heading: string): string =>
  heading
    .replaceAll(/\[(?<text>[^\]]*)\]\([^)]*\)/g, '$<text>')
    .toLowerCase()
    .replaceAll(/[^\p{Letter}\p{Number}\- _]/gu, '')
    .replaceAll(' ', '-');
const anchorsIn = (page: string): ReadonlySet<string> =>
  new Set(
    [...read(page).matchAll(/^#{1,6} (?<heading>.+)$/gm)].map(({ groups = {} }) => anchorOf(groups['heading'] ?? '')),
  );

const leads = (page: string, link: string): boolean => {
  const [path = '', anchor = ''] = link.split('#');
  const target = path === '' ? page : relative(root, join(root, dirname(page), path));
  return existsSync(join(root, target)) && (anchor === '' || anchorsIn(target).has(anchor));
};

describe('pages', () => {
  it('link only to what is there', () => {
    const links = pages.flatMap((page) => linksIn(page).map((link) => ({ page, link })));
    expect(links.length).toBeGreaterThan(150);
    expect(links.filter(({ page, link }) => !leads(page, link)).map(({ page, link }) => `${page}: ${link}`)).toEqual(
      [],
    );
  });

  it('name only files and folders of ours that are there', () => {
    const named = pages.flatMap((page) => pathsIn(page).map((path) => ({ page, path })));
    expect(named.length).toBeGreaterThan(200);
    const missing = named.filter(({ path }) => globSync(path.replace(/\bSTAGE\b/, '*'), { cwd: root }).length === 0);
    expect(missing.map(({ page, path }) => `${page}: ${path}`)).toEqual([]);
  });

  it('in docs are all on the map', () => {
    const map = linksIn('docs/README.md').map((link) => join('docs', link));
    const unmapped = globSync('docs/*.md', { cwd: root }).filter(
      (page) => page !== 'docs/README.md' && !map.includes(page),
    );
    expect(unmapped).toEqual([]);
  });
});
