import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { cacheKey } from './cache-key.ts';
import { run } from './command.ts';
import { buildFlags, PROGRAMS, type Program, type ProgramName } from './programs.ts';
import type { Report } from './report.ts';

const TOOLS_DIR = join(import.meta.dirname, '..', 'tools');
const COMPILE_DEADLINE_MS = 30 * 60_000;

/** Absolute path of every compiled program. */
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
 * Compiles what the cache lacks, one program at a time (each `go build` uses every core), and answers with all paths. A program
 * appears in the cache whole or not at all, so two processes may do this at once and an interrupted one leaves nothing half made.
 * @throws ExpectedError with the compiler's last lines.
 */
export const ensureBinaries = async (options: {
  readonly cacheDir: string;
  readonly report: Report;
}): Promise<Binaries> => {
  const missing = PROGRAMS.filter((program) => !existsSync(binaryPath(options.cacheDir, program)));
  for (const [index, program] of missing.entries()) {
    options.report(
      `compiling ${program.name} (${index + 1} of ${missing.length}, about ${program.seconds} s on two cores, once)`,
    );
    await compile(options.cacheDir, program);
  }
  return Object.fromEntries(PROGRAMS.map((program) => [program.name, binaryPath(options.cacheDir, program)])) as Record<
    ProgramName,
    string
  >;
};

const compile = async (cacheDir: string, program: Program): Promise<void> => {
  const target = binaryPath(cacheDir, program);
  const unfinished = `${target}.${process.pid}.unfinished`;
  mkdirSync(join(target, '..'), { recursive: true });
  try {
    await run('go', ['build', ...buildFlags(program), '-o', unfinished, program.package], {
      cwd: join(TOOLS_DIR, program.module),
      env: { CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '' },
      timeout: COMPILE_DEADLINE_MS,
    });
    renameSync(unfinished, target);
  } finally {
    rmSync(unfinished, { force: true });
  }
};
