import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { cacheKey } from './cache-key.ts';
import { run } from './command.ts';
import { buildFlags, compilerFlags, PROGRAMS, type Program, type ProgramName } from './programs.ts';
import { takeReadyMade } from './ready-made.ts';
import type { Report } from './report.ts';

const TOOLS_DIR = join(import.meta.dirname, '..', 'tools');
const COMPILE_DEADLINE_MS = 30 * 60_000;

/** Absolute path of every program. */
export type Binaries = Readonly<Record<ProgramName, string>>;

/** Where a program is or will be: one folder for each state of its pinned module, shared by all checkouts of the user. */
export const binaryPath = (cacheDir: string, program: Program): string => {
  const module = join(TOOLS_DIR, program.module);
  const key = cacheKey(
    readFileSync(join(module, 'go.mod'), 'utf8'),
    readFileSync(join(module, 'go.sum'), 'utf8'),
    PROGRAMS.filter((other) => other.module === program.module).flatMap(buildFlags),
    `${process.platform}/${process.arch}`,
  );
  return join(cacheDir, `${program.module}-${key}`, program.name);
};

/**
 * Gets what the cache lacks, from the machine or its Debian where that fits (ready-made.ts) and else by compiling, and answers with all paths.
 * A program appears in the cache whole or not at all, so two processes may do this at once and an interrupted one leaves nothing half made.
 * @throws ExpectedError with the compiler's last lines.
 */
export const ensureBinaries = async (options: {
  readonly cacheDir: string;
  readonly report: Report;
  /** The compiler; that in PATH without. */
  readonly go?: string;
  /** Puts a program that need not be compiled at a path; whether it did. */
  readonly take?: typeof takeReadyMade;
}): Promise<Binaries> => {
  const { cacheDir, report, go = 'go', take = takeReadyMade } = options;
  const absent = PROGRAMS.filter((program) => !existsSync(binaryPath(cacheDir, program)));
  const taken = await Promise.all(absent.map((program) => take(program.name, binaryPath(cacheDir, program), report)));
  const modules = Map.groupBy(
    absent.filter((_, index) => taken[index] !== true),
    ({ module }) => module,
  );
  await inLanes([...modules.values()], report, (programs) => compile(go, cacheDir, programs));
  return Object.fromEntries(PROGRAMS.map((program) => [program.name, binaryPath(cacheDir, program)])) as Record<
    ProgramName,
    string
  >;
};

/**
 * The largest module beside the others one after the other: whenever one links, or waits for a package that everything needs, which is work
 * for one core, the other has something to do. No more at once, for the sake of memory.
 */
const inLanes = async (
  modules: readonly (readonly Program[])[],
  report: Report,
  work: (programs: readonly Program[]) => Promise<void>,
): Promise<void> => {
  const [largest, ...others] = modules.toSorted((a, b) => secondsOf(b) - secondsOf(a));
  if (largest === undefined) return;
  const all = secondsOf(modules.flat());
  report(
    `compiling ${modules
      .flat()
      .map(({ name }) => name)
      .join(', ')} (about ${all} s on two cores, once)`,
  );
  const one = async (programs: readonly Program[]): Promise<void> => {
    const began = performance.now();
    await work(programs);
    report(`${programs.map(({ name }) => name).join(', ')}: ${Math.round((performance.now() - began) / 1000)} s`);
  };
  await Promise.all([
    one(largest),
    (async () => {
      for (const programs of others) await one(programs);
    })(),
  ]);
};

const secondsOf = (programs: readonly Program[]): number => programs.reduce((sum, { seconds }) => sum + seconds, 0);

/** Compiles programs of one module together: what they share once, and each is linked while others compile. */
const compile = async (go: string, cacheDir: string, programs: readonly Program[]): Promise<void> => {
  const [first] = programs;
  if (first === undefined) return;
  const folder = dirname(binaryPath(cacheDir, first));
  mkdirSync(folder, { recursive: true });
  const unfinished = mkdtempSync(join(folder, 'unfinished-'));
  // Several are named by the last part of their package; one may be named.
  const into = programs.length === 1 ? join(unfinished, first.name) : `${unfinished}/`;
  try {
    await run(
      go,
      ['build', ...buildFlags(first), ...compilerFlags, '-o', into, ...programs.map((program) => program.package)],
      {
        cwd: join(TOOLS_DIR, first.module),
        env: { CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '' },
        timeout: COMPILE_DEADLINE_MS,
      },
    );
    for (const program of programs) renameSync(join(unfinished, program.name), binaryPath(cacheDir, program));
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
};
