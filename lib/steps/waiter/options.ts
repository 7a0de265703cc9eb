/** What `waiter` is told: by the sidecar variant (spec 03 §9, §11), and by pods with image extensions. */
import { PermanentError } from '../../errors/expected.ts';
import { parseFlags } from '../flags.ts';

export type WaiterOptions =
  | { readonly mode: 'copy'; readonly to: string }
  | {
      readonly mode: 'wait';
      /** File of the kubelet, which must not be empty; empty: none is waited for. */
      readonly waitFile: string;
      /** Step that must be done; empty: none. */
      readonly after: string;
      /** Folder with a folder for every step, none of them this one's to write. */
      readonly signals: string;
      /** The folder of this step. */
      readonly signalTo: string;
      readonly command: Command;
    }
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

const waiting = ['mode', 'to', 'wait-file', 'after', 'signals', 'signal-to', 'execute'] as const;
const extending = ['analyzed', 'run-image', 'extender', 'given'] as const;

/**
 * The command follows `--`, each argument whole; kpack's `-execute`, split on spaces, is understood too.
 * @throws UsageError, PermanentError with kpack's sentences.
 */
export function waiterOptions(args: readonly string[]): WaiterOptions {
  const flags = parseFlags(args, {
    values: [...waiting, ...extending],
    lists: [],
  });
  const text = (name: string): string => flags.values.get(name) ?? '';
  const mode = flags.values.get('mode') ?? 'wait';
  if (mode === 'copy') {
    if (text('to') === '') throw new PermanentError('', '-to must be specified with -mode=copy');
    return { mode, to: text('to') };
  }
  const [analyzed, runImage] = [text('analyzed'), text('run-image')];
  if (mode === 'gate') return { mode, analyzed, runImage, given: text('given') };
  if (mode !== 'wait' && mode !== 'restored' && mode !== 'extend-run') {
    throw new PermanentError('', `unknown -mode=${mode}: use wait or copy`);
  }
  const [program, ...rest] = flags.rest.length > 0 ? flags.rest : text('execute').split(' ');
  if (program === undefined || program === '') throw new PermanentError('', `need -execute with -mode=${mode}`);
  const command: Command = [program, ...rest];
  if (mode === 'extend-run') return { mode, analyzed, command };
  if (mode === 'restored') return { mode, analyzed, runImage, extender: text('extender'), to: text('to'), command };
  const [signals, signalTo] = [text('signals'), text('signal-to')];
  if (signals === '' || signalTo === '') throw new PermanentError('', 'need -signals and -signal-to with -mode=wait');
  return { mode, waitFile: text('wait-file'), after: text('after'), signals, signalTo, command };
}
