/** What `waiter` is told by pods with image extensions. */
import { PermanentError } from '../../errors/expected.ts';
import { parseFlags } from '../flags.ts';

export type WaiterOptions =
  | { readonly mode: 'copy'; readonly to: string }
  | {
      /** Runs the restorer, keeps the extender, and says which run image must be extended where it is not the pod's. */
      readonly mode: 'restored';
      readonly analyzed: string;
      readonly runImage: string;
      /** The builder's extender, and where it is kept. */
      readonly extender: string;
      readonly to: string;
      readonly command: Command;
    }
  | {
      /** Waits until the pod has the run image that must be extended. */
      readonly mode: 'gate';
      readonly analyzed: string;
      readonly runImage: string;
      /** File that names the run image once the pod has it; absent where a pod cannot be given another. */
      readonly given: string;
    }
  | {
      /** Runs the command if the run image is to be extended. */
      readonly mode: 'extend-run';
      readonly analyzed: string;
      readonly command: Command;
    };

/** Program and arguments. */
export type Command = readonly [string, ...string[]];

const names = ['mode', 'to', 'analyzed', 'run-image', 'extender', 'given'] as const;

/** The command follows `--`, each argument whole. @throws UsageError, PermanentError */
export function waiterOptions(args: readonly string[]): WaiterOptions {
  const flags = parseFlags(args, { values: names, lists: [] });
  const text = (name: (typeof names)[number]): string => flags.values.get(name) ?? '';
  const mode = text('mode');
  if (mode === 'copy') {
    if (text('to') === '') throw new PermanentError('', '-to must be specified with -mode=copy');
    return { mode, to: text('to') };
  }
  const [analyzed, runImage] = [text('analyzed'), text('run-image')];
  if (mode === 'gate') return { mode, analyzed, runImage, given: text('given') };
  if (mode !== 'restored' && mode !== 'extend-run') {
    throw new PermanentError('', `unknown -mode=${mode}: use copy, restored, gate or extend-run`);
  }
  const [program, ...rest] = flags.rest;
  if (program === undefined || program === '') throw new PermanentError('', `need -- and a program with -mode=${mode}`);
  const command: Command = [program, ...rest];
  if (mode === 'extend-run') return { mode, analyzed, command };
  return { mode, analyzed, runImage, extender: text('extender'), to: text('to'), command };
}
