/** Real repositories for tests, made with the git binary in a directory of their own. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const ENVIRONMENT = {
  PATH: process.env['PATH'] ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'test',
  GIT_AUTHOR_EMAIL: 'test@example.com',
  GIT_COMMITTER_NAME: 'test',
  GIT_COMMITTER_EMAIL: 'test@example.com',
  GIT_AUTHOR_DATE: '2024-01-01T00:00:00Z',
  GIT_COMMITTER_DATE: '2024-01-01T00:00:00Z',
} as const;

/** Runs git and returns what it printed, trimmed. */
export const git = async (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> => {
  const { stdout } = await run('git', [...args], { env: { ...ENVIRONMENT, ...env }, maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
};

export interface GitRoot extends AsyncDisposable {
  /** Directory that holds `<name>.git`. */
  readonly root: string;
  /** Makes a bare repository whose HEAD is `main`, empty. Returns its path. */
  readonly init: (name: string) => Promise<string>;
  /** Adds an empty commit to a branch (made when missing) and returns its hash. */
  readonly commit: (name: string, branch: string, message?: string) => Promise<string>;
  /** Any other git command inside the repository. */
  readonly git: (name: string, ...args: readonly string[]) => Promise<string>;
}

/** An empty directory for bare repositories, removed on dispose. */
export const gitRoot = async (): Promise<GitRoot> => {
  const root = await mkdtemp(join(tmpdir(), 'kpackless-git-'));
  const pathOf = (name: string): string => join(root, `${name}.git`);
  const inside = (name: string, ...args: readonly string[]): Promise<string> => git(['-C', pathOf(name), ...args]);
  return {
    root,
    init: async (name) => {
      await git(['init', '-q', '--bare', '-b', 'main', pathOf(name)]);
      return pathOf(name);
    },
    commit: async (name, branch, message = 'commit') => {
      const ref = `refs/heads/${branch}`;
      const parent = await inside(name, 'rev-parse', '--verify', '-q', ref).catch(() => '');
      const tree = await inside(name, 'hash-object', '-w', '-t', 'tree', '/dev/null');
      const parents = parent === '' ? [] : ['-p', parent];
      const commit = await inside(name, 'commit-tree', tree, ...parents, '-m', message);
      await inside(name, 'update-ref', ref, commit);
      return commit;
    },
    git: inside,
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
};
