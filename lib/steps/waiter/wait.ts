/** Runs one step after another step's container has finished (spec 03 §11). */
import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { PermanentError } from '../../errors/expected.ts';
import { isSystemError } from '../step.ts';
import type { WaiterOptions } from './options.ts';
import { give, isGiven, whoFailed } from './signals.ts';

export type WaitOptions = WaiterOptions & { readonly mode: 'wait' };

export interface WaitContext {
  readonly log: (line: string) => void;
  /** Aborted when the pod is being stopped; the command is then asked to end. */
  readonly signal: AbortSignal;
  readonly pollMilliseconds?: number;
}

/**
 * Exit code of the command, which kpack loses (DESIGN §4). The step that comes next waits for our `done`; a failure is told to all others.
 * @throws PermanentError when another step has failed, or has made of its signal what is none, or ours was given already.
 */
export async function waitAndRun(options: WaitOptions, context: WaitContext): Promise<number> {
  const { signals, signalTo, command } = options;
  if (await isGiven(signalTo, 'done')) throw new PermanentError('', 'file specified for writing already exists');
  const failed = watch(signals, context);
  try {
    await turn(options, failed, context);
    const code = await runCommand(command, context, failed.found);
    if (code === 0) {
      await give(signalTo, 'done', 'done');
      return 0;
    }
    const message = `error running command exit status ${code}`;
    context.log(message);
    await give(signalTo, 'failed', message);
    return code;
  } catch (error) {
    // Nobody shall wait for a step that will never be done.
    await give(signalTo, 'failed', 'failed').catch(() => undefined);
    throw error;
  } finally {
    failed.end();
  }
}

/** Resolves when it is this step's turn; rejects when another one has failed, or the pod is being stopped. */
async function turn({ waitFile, after, signals }: WaitOptions, failed: Watch, context: WaitContext): Promise<void> {
  const stop = AbortSignal.any([failed.stop, context.signal]);
  const waiting = async (what: string, isThere: () => Promise<boolean>): Promise<void> => {
    context.log(`waiting on ${what}`);
    await Promise.race([failed.found, until(isThere, context, stop)]);
    context.signal.throwIfAborted();
  };
  // The downward API's file exists from the start and is empty until its annotation is set.
  if (waitFile !== '') await waiting(waitFile, async () => ((await sizeOf(waitFile)) ?? 0) > 0);
  if (after !== '') await waiting(after, () => isGiven(join(signals, after), 'done'));
}

interface Watch {
  /** Rejects when a step has failed; never resolves. */
  readonly found: Promise<never>;
  readonly stop: AbortSignal;
  readonly end: () => void;
}

function watch(signals: string, context: WaitContext): Watch {
  const controller = new AbortController();
  const found = new Promise<never>((_resolve, reject) => {
    const hasFailed = async (): Promise<boolean> => {
      const step = await whoFailed(signals);
      if (step !== undefined) reject(new PermanentError('', `another step has errored: ${step}`));
      return step !== undefined;
    };
    until(hasFailed, context, controller.signal).catch(reject);
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
