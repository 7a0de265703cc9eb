/** What the sidecar variant tells `waiter` (spec 03 §9, §11). */
import { PermanentError } from '../../errors/expected.ts';
import { parseFlags } from '../flags.ts';

export type WaiterOptions =
  | { readonly mode: 'copy'; readonly to: string }
  | {
      readonly mode: 'wait';
      /** Absent: nothing to wait for. */
      readonly waitFile: string;
      readonly doneFile: string;
      readonly errorFile: string;
      /** Program and arguments. */
      readonly command: readonly [string, ...string[]];
    };

/**
 * The command follows `--`, each argument whole; kpack's `-execute`, split on spaces, is understood too.
 * @throws UsageError, PermanentError with kpack's sentences.
 */
export function waiterOptions(args: readonly string[]): WaiterOptions {
  const flags = parseFlags(args, {
    values: ['mode', 'to', 'wait-file', 'done-file', 'error-file', 'execute'],
    lists: [],
  });
  const text = (name: string): string => flags.values.get(name) ?? '';
  const mode = flags.values.get('mode') ?? 'wait';
  if (mode === 'copy') {
    if (text('to') === '') throw new PermanentError('', '-to must be specified with -mode=copy');
    return { mode, to: text('to') };
  }
  if (mode !== 'wait') throw new PermanentError('', `unknown -mode=${mode}: use wait or copy`);
  const [program, ...rest] = flags.rest.length > 0 ? flags.rest : text('execute').split(' ');
  if (program === undefined || program === '') throw new PermanentError('', 'need -execute with -mode=wait');
  return {
    mode,
    waitFile: text('wait-file'),
    doneFile: text('done-file'),
    errorFile: text('error-file'),
    command: [program, ...rest],
  };
}
