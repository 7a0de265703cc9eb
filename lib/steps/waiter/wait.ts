/** Runs one step after another step's container has finished (spec 03 §11). */
import { spawn } from 'node:child_process';
import { stat, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { PermanentError } from '../../errors/expected.ts';
import { isSystemError } from '../step.ts';
import type { WaiterOptions } from './options.ts';

export type WaitOptions = WaiterOptions & { readonly mode: 'wait' };

export interface WaitContext {
  readonly log: (line: string) => void;
  /** Aborted when the pod is being stopped; the command is then asked to end. */
  readonly signal: AbortSignal;
  readonly pollMilliseconds?: number;
}

/**
 * Exit code of the command, which kpack loses (DESIGN §4). The next container waits for `doneFile`; a failure is told to all others in
 * `errorFile`. @throws PermanentError when another step has failed, or `doneFile` is there already.
 */
export async function waitAndRun(options: WaitOptions, context: WaitContext): Promise<number> {
  const { doneFile, errorFile, waitFile, command } = options;
  if (doneFile !== '' && (await sizeOf(doneFile)) !== undefined) {
    throw new PermanentError('', 'file specified for writing already exists');
  }
  const failed = watch(errorFile, context);
  try {
    if (waitFile !== '') {
      context.log(`waiting on ${waitFile}`);
      // The downward API's file exists from the start and is empty until its annotation is set.
      const stop = AbortSignal.any([failed.stop, context.signal]);
      await Promise.race([failed.found, until(async () => ((await sizeOf(waitFile)) ?? 0) > 0, context, stop)]);
      context.signal.throwIfAborted();
    }
    const code = await runCommand(command, context, failed.found);
    if (code === 0) {
      if (doneFile !== '') await writeFile(doneFile, 'done');
      return 0;
    }
    const message = `error running command exit status ${code}`;
    context.log(message);
    if (errorFile !== '') await writeFile(errorFile, message);
    return code;
  } finally {
    failed.end();
  }
}

interface Watch {
  /** Rejects when the file appears; never resolves. */
  readonly found: Promise<never>;
  readonly stop: AbortSignal;
  readonly end: () => void;
}

function watch(errorFile: string, context: WaitContext): Watch {
  const controller = new AbortController();
  const found = new Promise<never>((_resolve, reject) => {
    if (errorFile === '') return;
    until(async () => (await sizeOf(errorFile)) !== undefined, context, controller.signal).then(
      (appeared) => appeared && reject(new PermanentError('', 'another step has errored')),
      reject,
    );
  });
  // Whoever waits for it hears of it; until then it is not unheard.
  found.catch(() => undefined);
  return { found, stop: controller.signal, end: () => controller.abort() };
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

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** As a shell would say it. */
const commandNotFound = 127;

/** Exit code of the command, 127 when it cannot be started; rejects as `failed` does, and ends the command then. */
export async function runCommand(
  [program, ...args]: readonly [string, ...string[]],
  { signal, log }: WaitContext,
  failed: Promise<never> = new Promise(() => undefined),
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
    return await Promise.race([ended, failed]);
  } finally {
    signal.removeEventListener('abort', stop);
    if (child.exitCode === null) child.kill('SIGTERM');
  }
}
