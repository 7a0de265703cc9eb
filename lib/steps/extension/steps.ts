/** What the pod's own steps do around the extender (lib/builds/pod/extensions.ts). */
import { chmod, copyFile, readFile, writeFile } from 'node:fs/promises';
import { PermanentError } from '../../errors/expected.ts';
import { isSystemError } from '../step.ts';
import { runCommand, until, type WaitContext } from '../waiter/command.ts';
import type { WaiterOptions } from '../waiter/options.ts';
import { chosenRunImage, readAnalyzed } from './analyzed.ts';

type Options<M extends WaiterOptions['mode']> = WaiterOptions & { readonly mode: M };

/** Where Kubernetes reads what a step says when it ends. */
const terminationLog = '/dev/termination-log';

/** How long the reconciler may take to give the pod its run image, milliseconds: twice the time after which it looks on its own. */
const patienceMilliseconds = 20 * 60_000;

/**
 * Exit code of the restorer. After it the extender is kept for the step that runs in the run image, and a run image that the pod was not
 * made for is said as `{"extendRunImage": …}`. @throws PermanentError for a broken analyzed.toml.
 */
export async function restored(
  { command, analyzed, runImage, extender, to }: Options<'restored'>,
  context: WaitContext,
  terminationPath = terminationLog,
): Promise<number> {
  const code = await runCommand(command, context);
  if (code !== 0) return code;
  await copyFile(extender, to);
  await chmod(to, 0o755);
  const chosen = chosenRunImage(await readAnalyzed(analyzed), runImage);
  if (chosen !== undefined) await writeFile(terminationPath, JSON.stringify({ extendRunImage: chosen }));
  return 0;
}

const textOf = async (path: string): Promise<string> => {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return '';
    throw error;
  }
};

/** Ends when the next step has the run image that is to be extended. @throws PermanentError when it does not get it. */
export async function gate(
  { analyzed, runImage, given }: Options<'gate'>,
  context: WaitContext,
  patience = patienceMilliseconds,
): Promise<number> {
  const chosen = chosenRunImage(await readAnalyzed(analyzed), runImage);
  if (chosen === undefined) return 0;
  if (given === '') {
    throw new PermanentError(
      '',
      `an extension chose run image ${chosen} and extends it, which a pod with injected sidecars cannot do: extend the builder's run image, or choose one that is complete`,
    );
  }
  context.log(`an extension chose run image ${chosen}: waiting until the pod has it`);
  const stop = AbortSignal.any([context.signal, AbortSignal.timeout(patience)]);
  if (await until(async () => (await textOf(given)) === chosen, context, stop)) return 0;
  context.signal.throwIfAborted();
  throw new PermanentError('', `the pod was not given run image ${chosen} for ${patience / 1000} seconds`);
}

/** Exit code of the extender; 0 without running it when no run.Dockerfile adds to the run image. @throws PermanentError for a broken analyzed.toml. */
export async function extendRun({ analyzed, command }: Options<'extend-run'>, context: WaitContext): Promise<number> {
  const { extend, reference } = await readAnalyzed(analyzed);
  if (extend) return runCommand(command, context);
  context.log(`run image ${reference} is used as it is`);
  return 0;
}
