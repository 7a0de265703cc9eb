/** Whether the project descriptor's patterns mean what they mean to git, asked of git itself. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { array, constantFrom, assert as holds, property, tuple } from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deletedBy } from '../../../lib/steps/prepare/descriptor-filter.ts';

/** Names that patterns trip over, several folders deep. */
const files: readonly string[] = [
  ['b', 'c.txt', 'a.b', 'A', 'ab', 'abc', 'a b', 'a ', 'a\t', 'a\r', 'tab\ta', '#a', '!a', 'a!', 'a*', 'a?', '[a]'],
  ['a]', 'a-b', '-a', 'a^', '^a', 'a$', '$a', 'a+', '(a)', 'a|b', '{a,b}', '\\a', 'x/a\\b', '.a', '..a', '...'],
  ['x/a', 'x/b', 'x/c.txt', 'x/-', 'x/...', 'x/y/a', 'x/y/z/a', 'x/y/z/c.txt', 'y/a', 'y/y/a', 'y/z', 'z/a/b/c'],
  ['.x/a', '.git2/a', 'node_modules/x/a', 'x/node_modules/a', 'ä', 'à', '日', 'x/ä.txt'],
].flat();

const pieces: readonly string[] = [
  ['a', 'b', 'c', 'x', 'y', 'z', 'A', '.txt', '.', '..', '-', '+', '$', '^', ']', '|', '(a)', '{a,b}', 'node_modules'],
  ['/', '/', '/', 'x/', 'y/', '*', '*', '**', '**/', '/**', '/**/', '?', '!', '#', ' ', '\\ ', '\t', '\r', '\\'],
  ['\\a', '\\*', '\\!', '\\#', '[ab]', '[!a]', '[^a]', '[a-c]', '[]a]', '[!]a]', '[a-]', '[A-Z]', '[a', '[\\]]'],
  ['[[:alpha:]]', 'ä', '日', '[!ä]', '[à-ä]', '??'],
].flat();
/**
 * A pattern. Not one with `a**`: two stars beside a letter should be one star to git, but it first takes off the letters before them
 * and then finds the stars at the beginning.
 */
const pattern = array(constantFrom(...pieces), { minLength: 1, maxLength: 6 })
  .map((some) => some.join(''))
  .filter((text) => !/[^/!]\*\*/u.test(text));
const patterns = array(
  tuple(constantFrom('', '', '!'), pattern).map((parts) => parts.join('')),
  { minLength: 1, maxLength: 3 },
);

describe('include and exclude', () => {
  let repository: string;
  beforeAll(async () => {
    repository = await mkdtemp(join(tmpdir(), 'kpackless-patterns-'));
    execFileSync('git', ['init', '-q', repository]);
    for (const file of files) {
      mkdirSync(dirname(join(repository, file)), { recursive: true });
      writeFileSync(join(repository, file), '');
    }
  });
  afterAll(() => rmSync(repository, { recursive: true, force: true }));

  /** The files that git ignores for these patterns. */
  const ignored = (lines: readonly string[]): readonly string[] => {
    writeFileSync(join(repository, '.git/info/exclude'), lines.map((line) => `${line}\n`).join(''));
    const command = ['-c', 'core.ignoreCase=false', '-c', 'core.excludesFile=/dev/null', '-C', repository];
    const { status, stdout, stderr } = spawnSync('git', [...command, 'check-ignore', '--no-index', '-z', '--stdin'], {
      input: files.map((file) => `${file}\0`).join(''),
      encoding: 'utf8',
    });
    if (status !== 0 && status !== 1) throw new Error(stderr);
    return stdout.split('\0').filter((file) => file !== '');
  };

  it('mean what they mean to git, for whatever patterns', { timeout: 60_000 }, () => {
    holds(
      property(patterns, (lines) => {
        const byGit = ignored(lines);
        expect(files.filter(deletedBy({ kind: 'exclude', patterns: lines }))).toEqual(byGit);
        expect(files.filter(deletedBy({ kind: 'include', patterns: lines }))).toEqual(
          files.filter((file) => !byGit.includes(file)),
        );
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    [['*', '!*/', '!*.txt']],
    [['/x', '!/x/a']],
    [['x/*', '!x/a']],
    [['**/node_modules/']],
    [['a\\ ', 'b ']],
    [['\\#a', '\\!a', '#b', '']],
  ])('mean what they mean to git: %j', (lines) => {
    expect(files.filter(deletedBy({ kind: 'exclude', patterns: lines }))).toEqual(ignored(lines));
  });
});
