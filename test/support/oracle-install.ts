/** Puts an independent server into the user's cache, once per set of pins: the file that pins it names the folder. */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** The longest is a program of Go that has to be compiled. */
const installDeadlineMs = 600_000;

const exists = async (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Runs a program to its end; rejects with what it said, shortened. */
const step = (cwd: string, program: string, ...args: readonly string[]): Promise<void> =>
  stepWith({}, cwd, program, ...args);

const stepWith = async (
  environment: Readonly<Record<string, string>>,
  cwd: string,
  program: string,
  ...args: readonly string[]
): Promise<void> => {
  try {
    const env = { ...process.env, ...environment };
    await run(program, [...args], { cwd, timeout: installDeadlineMs, maxBuffer: 16 * 1024 * 1024, env });
  } catch (error) {
    const said = error instanceof Error ? error.message.split('\n').slice(0, 3).join(' ').slice(0, 300) : '';
    throw new Error(`${program} failed: ${said}`, { cause: error });
  }
};

/**
 * The folder in which `install` has run to its end. Several test files may ask at once, in several processes: the first one
 * installs, the others wait. A folder left half done by a crash is made again.
 */
const installed = async (pins: string, install: (folder: string) => Promise<void>): Promise<string> => {
  if (process.env['KPACKLESS_ORACLES'] === 'off') throw new Error('KPACKLESS_ORACLES=off');
  const source = join(import.meta.dirname, pins);
  const content = await readFile(source);
  const digest = createHash('sha256').update(content).digest('hex').slice(0, 12);
  const root = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'kpackless', 'oracles');
  const folder = join(root, `${pins.split('.')[0] ?? pins}-${digest}`);
  const done = join(folder, '.complete');
  const lock = `${folder}.lock`;
  await mkdir(root, { recursive: true });
  const deadline = Date.now() + installDeadlineMs;
  while (!(await exists(done))) {
    const mine = await mkdir(lock).then(
      () => true,
      () => false,
    );
    if (mine) {
      try {
        await rm(folder, { recursive: true, force: true });
        await mkdir(folder, { recursive: true });
        await copyFile(source, join(folder, pins.endsWith('.pom.xml') ? 'pom.xml' : pins));
        await install(folder);
        await writeFile(done, '');
      } finally {
        await rm(lock, { recursive: true, force: true });
      }
    } else {
      if (Date.now() > deadline) throw new Error(`another process has been installing for minutes; remove ${lock}`);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
  return folder;
};

/** A virtual environment with the packages of a requirements file beside this one. Answers its Python. */
export const pythonWith = async (requirements: string): Promise<string> => {
  const folder = await installed(requirements, async (made) => {
    await step(made, 'python3', '-m', 'venv', '.');
    await step(made, join(made, 'bin', 'pip'), 'install', '--quiet', '--requirement', requirements);
  });
  return join(folder, 'bin', 'python');
};

/** A folder of jars: the closure of the dependencies in a pom beside this file. */
export const jarsOf = async (pom: string): Promise<string> => {
  const folder = await installed(pom, async (made) => {
    const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
    await step(made, 'mvn', '-q', '-B', goal, '-DoutputDirectory=lib', '-DincludeScope=runtime');
  });
  return join(folder, 'lib');
};

/** A program of a Go module, compiled with the versions that `<name>.go.mod` and `<name>.go.sum` beside this file pin. */
export const goProgram = async (name: string, packageName: string): Promise<string> => {
  const folder = await installed(`${name}.go.sum`, async (made) => {
    await copyFile(join(import.meta.dirname, `${name}.go.mod`), join(made, 'go.mod'));
    await copyFile(join(import.meta.dirname, `${name}.go.sum`), join(made, 'go.sum'));
    const flags = ['-mod=readonly', '-buildvcs=false', '-trimpath', '-ldflags', '-s -w', '-o', 'program'];
    await stepWith({ CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '' }, made, 'go', 'build', ...flags, packageName);
  });
  return join(folder, 'program');
};

/** A program of one Go file beside this one, which needs no module but Go's own. */
export const goFile = async (file: string): Promise<string> => {
  const folder = await installed(file, async (made) => {
    const flags = ['-trimpath', '-ldflags', '-s -w', '-o', 'program', file];
    await stepWith({ CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '', GO111MODULE: 'off' }, made, 'go', 'build', ...flags);
  });
  return join(folder, 'program');
};
