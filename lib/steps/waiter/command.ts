/** Commands of others that our program runs, and what it waits for around them. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

export interface WaitContext {
  readonly log: (line: string) => void;
  /** Aborted when the pod is being stopped; the command is then asked to end. */
  readonly signal: AbortSignal;
  readonly pollMilliseconds?: number;
}

/** Polls: a volume shared between containers need not deliver file events. False when stopped first. */
export async function until(
  isTrue: () => Promise<boolean>,
  { pollMilliseconds = 250 }: WaitContext,
  stop: AbortSignal,
): Promise<boolean> {
  while (!stop.aborted) {
    if (await isTrue()) return true;
    await new Promise((resolve) => setTimeout(resolve, pollMilliseconds));
  }
  return false;
}

/** As a shell would say it. */
const commandNotFound = 127;

/** Exit code of the command, 127 when it cannot be started. */
export async function runCommand(
  [program, ...args]: readonly [string, ...string[]],
  { signal, log }: WaitContext,
): Promise<number> {
  const child = spawn(program, args, { stdio: 'inherit' });
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  const ended = new Promise<number>((resolve) => {
    child.once('error', (error) => {
      log(`cannot start ${program}: ${error.message}`);
      resolve(commandNotFound);
    });
    child.once('close', (code, killedBy) =>
      resolve(code ?? 128 + (killedBy === null ? 0 : constants.signals[killedBy])),
    );
  });
  try {
    return await ended;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
