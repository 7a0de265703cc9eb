/** Runs the git binary with nothing inherited that a source or a user could use against us. */
import { type ChildProcess, spawn } from 'node:child_process';
import { ExpectedError } from '../../errors/expected.ts';
import { printable } from '../../text/printable.ts';
import { shownText } from '../../text/shown-text.ts';
import { isSystemError } from '../step.ts';
import { gitTrust } from './git-trust.ts';

/** Key and value of git's configuration. Travels in the environment: command lines are visible to everybody on the node. */
export type GitSetting = readonly [key: string, value: string];

export interface GitRun {
  readonly cwd: string;
  readonly settings: readonly GitSetting[];
  /** Added to the environment of git. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** git said no. `stderr` is for deciding what it means; the message is its last lines. */
export class GitFailure extends ExpectedError {
  override readonly name = 'GitFailure';
  readonly stderr: string;

  constructor(stderr: string, code: number | null) {
    const lines = stderr.split('\n').filter((line) => line.trim() !== '');
    super(printable(shownText(lines.slice(-4).join('; ')), 1000) || `git ended with ${code ?? 'a signal'}`);
    this.stderr = stderr;
  }
}

/** Longest any one git command may take; the pod's own deadline is usually shorter. */
const deadlineMilliseconds = 3_600_000;
const maxOutputBytes = 64 << 20;
const maxErrorBytes = 1 << 20;

/**
 * Hooks, templates, file system monitors and helpers that a repository could bring along are off, nothing is asked of a terminal, only
 * the network transports we support exist (`ext::` and local paths do not), and a dead connection ends.
 */
const safeSettings: readonly GitSetting[] = [
  ['safe.directory', '*'],
  ['init.defaultBranch', 'main'],
  ['advice.detachedHead', 'false'],
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.logAllRefUpdates', 'false'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['protocol.version', '2'],
  ['protocol.allow', 'never'],
  ['protocol.https.allow', 'always'],
  ['protocol.ssh.allow', 'always'],
  // What a URL asks for, but not what a host redirects to: nothing comes in the clear that was asked for over TLS.
  ['protocol.http.allow', 'user'],
  ['http.lowSpeedLimit', '1'],
  ['http.lowSpeedTime', '120'],
  ['ssh.variant', 'ssh'],
];

const passedOn = ['PATH', 'SSL_CERT_FILE', 'SSL_CERT_DIR'];
const proxies = ['http_proxy', 'https_proxy', 'no_proxy', 'all_proxy'].flatMap((name) => [name, name.toUpperCase()]);

/** Standard output. @throws GitFailure */
export async function git(args: readonly string[], run: GitRun): Promise<string> {
  const child = spawn('git', [...args], {
    cwd: run.cwd,
    env: environmentFor(run),
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: limited(run.signal),
  });
  const output = collect(child.stdout, maxOutputBytes);
  const errors = collect(child.stderr, maxErrorBytes);
  const code = await closed(child);
  if (code !== 0) throw new GitFailure(errors(), code);
  return output();
}

/** What follows is one program, because starting another when this process has grown takes as long as a third of the checkout. */
const fetchAndCheckOut = `
git fetch --quiet --no-tags --depth 1 origin "$1" || exit
echo fetched
export GIT_CONFIG_COUNT="$2"
exec git checkout --quiet --force --detach "$1" --`;

/** How far a commit came. */
export interface CommitRun {
  readonly isFetched: boolean;
  /** Absent when it is checked out. */
  readonly failure?: GitFailure;
}

/**
 * Fetches a commit alone and checks it out. `id` is a full object id. Settings `whileFetching` are gone before the checkout, which runs LFS: what is
 * for the host of the repository alone goes no further.
 */
export async function fetchCommit(id: string, run: GitRun, whileFetching: readonly GitSetting[]): Promise<CommitRun> {
  const signal = limited(run.signal);
  signal.throwIfAborted();
  const kept = safeSettings.length + run.settings.length;
  const child = spawn('sh', ['-c', fetchAndCheckOut, 'sh', id, String(kept)], {
    cwd: run.cwd,
    env: environmentFor({ ...run, settings: [...run.settings, ...whileFetching] }),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: the shell would not pass on that it is to stop.
    detached: true,
  });
  const stop = (): void => stopGroup(child.pid);
  signal.addEventListener('abort', stop, { once: true });
  const output = collect(child.stdout, maxErrorBytes);
  const errors = collect(child.stderr, maxErrorBytes);
  const code = await closed(child).finally(() => signal.removeEventListener('abort', stop));
  signal.throwIfAborted();
  return { isFetched: output() !== '', ...(code === 0 ? {} : { failure: new GitFailure(errors(), code) }) };
}

function stopGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid);
  } catch (error) {
    if (!isSystemError(error, 'ESRCH')) throw error;
  }
}

const limited = (signal: AbortSignal): AbortSignal =>
  AbortSignal.any([signal, AbortSignal.timeout(deadlineMilliseconds)]);

const closed = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });

const environmentFor = ({ settings, env }: GitRun): Readonly<Record<string, string>> => ({
  ...gitEnvironment([...safeSettings, ...settings]),
  ...env,
});

function gitEnvironment(settings: readonly GitSetting[]): Readonly<Record<string, string>> {
  const inherited = [...passedOn, ...proxies].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const numbered = settings.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key] as const,
    [`GIT_CONFIG_VALUE_${index}`, value] as const,
  ]);
  return {
    ...Object.fromEntries(inherited),
    ...gitTrust(process.env),
    ...Object.fromEntries(numbered),
    GIT_CONFIG_COUNT: String(settings.length),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ATTR_NOSYSTEM: '1',
    LC_ALL: 'C',
  };
}

function collect(stream: NodeJS.ReadableStream, limit: number): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    if (size < limit) chunks.push(chunk);
    size += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
