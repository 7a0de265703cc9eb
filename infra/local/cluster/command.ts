import { execFile } from 'node:child_process';

import { ExpectedError } from '../../../lib/errors/expected.ts';

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Deadline in milliseconds; half a minute when absent. */
  readonly timeout?: number;
  /** What the command reads on its standard input. */
  readonly input?: string | Uint8Array;
}

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/**
 * Runs a program to its end and answers with its standard output.
 * @throws ExpectedError naming the program, its exit code and the last lines it said, when it fails, is missing or takes too long.
 */
export const run = (program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      {
        cwd: options.cwd,
        env: { ...process.env, ...options.env },
        timeout: options.timeout ?? 30_000,
        killSignal: 'SIGKILL',
        maxBuffer: MAX_OUTPUT_BYTES,
      },
      (error, stdout, stderr) => {
        if (error === null) return resolve(stdout);
        const said = lastLines(stderr === '' ? stdout : stderr);
        const how = error.killed === true ? 'took too long' : `failed (${String(error.code ?? error.signal)})`;
        reject(
          new ExpectedError(`${program} ${args[0] ?? ''} ${how}${said === '' ? '' : `: ${said}`}`, { cause: error }),
        );
      },
    );
    child.stdin?.on('error', () => {}); // the program may end before it has read everything: its exit code tells
    child.stdin?.end(options.input ?? '');
  });

/** The same, for commands whose failure means "already so" (a link that is gone, a mount that is not there). */
export const tryRun = async (program: string, args: readonly string[]): Promise<boolean> => {
  try {
    await run(program, args);
    return true;
  } catch {
    return false;
  }
};

const lastLines = (text: string): string => text.trim().split('\n').slice(-5).join(' | ').slice(-1000);
