/** Runs one program of the build machine; a missing program is one sentence that names it and the package that has it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { PermanentError } from '../../lib/errors/expected.ts';

const run = promisify(execFile);

/** Program → Debian package that provides it. */
const providers: Readonly<Record<string, string>> = {
  'apt-get': 'apt',
  'apt-cache': 'apt',
  'dpkg-deb': 'dpkg',
  readelf: 'binutils',
  npm: 'npm',
  tar: 'tar',
};

/** Longest any single command may take; apt may have to download 20 MB over a slow line. */
const deadlineMilliseconds = 300_000;

/** Standard output of the command. @throws PermanentError `ToolMissing` or `ToolFailed`, with the last lines the tool wrote. */
export async function toolOutput(program: string, args: readonly string[], cwd?: string): Promise<string> {
  try {
    const { stdout } = await run(program, [...args], {
      cwd,
      timeout: deadlineMilliseconds,
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, LC_ALL: 'C' },
    });
    return stdout;
  } catch (error) {
    if (isMissing(error)) {
      const from = providers[program] ?? program;
      throw new PermanentError(
        'ToolMissing',
        `building the step image needs \`${program}\`, which is not on this machine: install the package ${from} (apt-get install ${from})`,
        { cause: error },
      );
    }
    throw new PermanentError('ToolFailed', `\`${program} ${args.slice(0, 4).join(' ')}\` failed: ${lastLines(error)}`, {
      cause: error,
    });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT' && 'syscall' in error;
}

function lastLines(error: unknown): string {
  const text = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
  return text.split('\n').slice(-3).join(' | ').slice(-600);
}
