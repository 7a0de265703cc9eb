/** The first step of a build pod on a git source of 3,500 files, beside git alone, in turn so that both have the same machine. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { stepBundle, withoutSdk } from '../../../infra/step-image/program-layer.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import { startGitHttpServer } from '../../support/git-http-server.ts';
import { type GitRoot, git, gitRoot } from '../../support/git-repository.ts';
import { pushImage } from '../../support/step-world.ts';
import { type Row, round } from '../row.ts';

const run = promisify(execFile);
const files = 3500;

/** What a round costs at least. */
export interface PrepareCost {
  /** `git fetch --depth 1` and `git checkout`. */
  readonly gitMilliseconds: number;
  /** The whole step, from the start of its process to its end. */
  readonly prepareMilliseconds: number;
  /** Most memory that the step's own process held, decimal MB. */
  readonly megabytes: number;
}

/** A commit of many small files in 70 folders, 30 MB together, written without a working tree. */
const importCommit = async (root: GitRoot, folder: string): Promise<string> => {
  const lines = ['commit refs/heads/main', 'committer t <t@example.com> 0 +0000', 'data 1', 'x'];
  for (let n = 0; n < files; n += 1) {
    const text = `// line of file ${n}\n`.repeat(1 + ((n * 37) % 800));
    lines.push(`M 100644 inline d${n % 70}/s${n % 7}/f${n}.js`, `data ${text.length}`, text);
  }
  const script = join(folder, 'import');
  await writeFile(script, `${lines.join('\n')}\n`);
  const path = await root.init('app');
  await run('sh', ['-c', 'git -C "$1" fast-import --quiet < "$2" && git -C "$1" gc -q', 'sh', path, script]);
  return root.git('app', 'rev-parse', 'main');
};

const timed = async (work: Promise<unknown>): Promise<number> => {
  const begun = performance.now();
  await work;
  return performance.now() - begun;
};

/** In memory where that can be: a disk adds the same to both, and as much more as others use it. */
const below = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Runs both some times and gives the least of each: what else runs on the machine only ever adds. */
export const prepareCost = async (rounds: number): Promise<PrepareCost> => {
  const folder = await mkdtemp(join(below, 'kpackless-prepare-'));
  const root = await gitRoot();
  const registry = await startFakeRegistry();
  const server = await startGitHttpServer({ root: root.root });
  try {
    const commit = await importCommit(root, folder);
    await pushImage(`${registry.host}/run:base`, []);
    const program = join(folder, 'prepare.cjs');
    const entry = join(import.meta.dirname, '..', 'prepare-process.ts');
    const bundled = await build({ ...stepBundle, ...withoutSdk, entryPoints: [entry] });
    await writeFile(program, bundled.outputFiles[0]?.text ?? '');
    const url = `${server.url}/app.git`;
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: join(folder, 'home'),
      GIT_URL: url,
      GIT_REVISION: commit,
      IMAGE_TAG: `${registry.host}/app:1`,
      RUN_IMAGE: `${registry.host}/run:base`,
    };
    const alone: number[] = [];
    const whole: number[] = [];
    const memory: number[] = [];
    const gitAlone = async (name: string): Promise<void> => {
      const plain = join(folder, name);
      await git(['init', '-q', '--template=', plain]);
      const both = 'git fetch -q --no-tags --depth 1 "$1" "$2" && git checkout -q --detach FETCH_HEAD';
      alone.push(await timed(run('sh', ['-c', both, 'sh', url, commit], { cwd: plain, env })));
      await rm(plain, { recursive: true });
    };
    const wholeStep = async (name: string): Promise<void> => {
      const pod = join(folder, name);
      await mkdir(join(pod, 'workspace'), { recursive: true });
      const step = run(process.execPath, [program, pod], { env });
      whole.push(await timed(step));
      memory.push((Number(/peak (\d+) kB/u.exec((await step).stdout)?.[1]) * 1.024) / 1e3);
      await rm(pod, { recursive: true });
    };
    for (let turn = 0; turn < rounds; turn += 1) {
      // Who comes second finds the caches and the disk as the first has left them.
      const order = turn % 2 === 0 ? [gitAlone, wholeStep] : [wholeStep, gitAlone];
      for (const measure of order) await measure(`turn-${turn}`);
    }
    return {
      gitMilliseconds: Math.min(...alone),
      prepareMilliseconds: Math.min(...whole),
      megabytes: Math.max(...memory),
    };
  } finally {
    await server[Symbol.asyncDispose]();
    await registry.close();
    await root[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  }
};

/** Both goals in one row. */
export const prepareStep = async (): Promise<Row> => {
  const { gitMilliseconds, prepareMilliseconds, megabytes } = await prepareCost(12);
  const ratio = prepareMilliseconds / gitMilliseconds;
  return {
    measure: `step prepare, ${files} files in memory (least of 12)`,
    measured: `${round(prepareMilliseconds)} ms, git alone ${round(gitMilliseconds)} ms: ${ratio.toFixed(2)}×, ${round(megabytes)} MB`,
    goal: '≤ 1.3×, ≤ 100 MB',
    reached: ratio <= 1.3 && megabytes <= 100,
    figures: { ratio, gitMilliseconds, prepareMilliseconds, megabytes },
  };
};
