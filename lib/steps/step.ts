/** What every step program shares: where it writes, how it is cut short, and what its exit codes mean. */
import { ExpectedError, PermanentError } from '../errors/expected.ts';
import { shownText } from '../text/shown-text.ts';
import { UsageError } from './flags.ts';

/** What a step program gets from its process. */
export interface StepProcess {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** One line of the container's log. */
  readonly log: (line: string) => void;
  /** Aborted when the pod is being stopped. */
  readonly signal: AbortSignal;
}

/** A failure that the Build reconciler tells from others by its exit code. */
export class StepFailure extends ExpectedError {
  override readonly name: string = 'StepFailure';
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, { ...options, pace: 'slow' });
    this.exitCode = exitCode;
  }
}

const exitCodeOf = (error: unknown): number => {
  if (error instanceof UsageError) return 2;
  return error instanceof StepFailure ? error.exitCode : 1;
};

/** Runs the program with the real process. Exit code 0, 2 for a wrong command line, 1 or its own for a failure told in one line. */
export async function runStep(
  body: (step: StepProcess) => Promise<number | undefined>,
  { output = process.stdout, failurePrefix = '' }: StepOutput = {},
): Promise<void> {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => stop.abort(new ExpectedError(`stopped by ${name}`)));
  }
  const log = (line: string): void => void process.stdout.write(`${line}\n`);
  try {
    const code = await body({ args: process.argv.slice(2), env: process.env, log, signal: stop.signal });
    process.exitCode = code ?? 0;
  } catch (error) {
    output.write(`${failurePrefix}${failureText(error)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

interface StepOutput {
  /** Where the line of a failure goes. */
  readonly output?: NodeJS.WritableStream;
  readonly failurePrefix?: string;
}

/** A failure of the world or of the input is its sentence; anything else is a bug and shows where it happened. */
export function failureText(error: unknown): string {
  const told = error instanceof ExpectedError || error instanceof PermanentError || error instanceof UsageError;
  if (told || isSystemError(error)) return shownText(error.message);
  return shownText(error instanceof Error ? (error.stack ?? error.message) : String(error));
}

/** `ENOSPC: no space left on device, write`: an errno says it all. */
export function isSystemError(error: unknown, code?: string): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && 'syscall' in error && (code === undefined || error.code === code);
}
