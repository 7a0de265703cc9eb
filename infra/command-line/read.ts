/** Reads the options of every `npm run …`: what is unknown, or was swallowed by npm, is refused with the right spelling. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { PermanentError } from '../../lib/errors/expected.ts';
import { nearestTo } from './nearest.ts';
import { swallowedOptions } from './swallowed.ts';

/** What a command was given. */
export interface Given {
  readonly args: readonly string[];
  /** The process's own: npm says there what it kept for itself. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What a command understands. */
interface Command<O extends ParseArgsOptionsConfig> {
  /** As somebody types it, `npm run deploy`. */
  readonly name: string;
  readonly options: O;
  /** Most words beside options; none without. */
  readonly words?: number;
}

const values = <O extends ParseArgsOptionsConfig>(args: readonly string[], options: O) =>
  parseArgs({ args: [...args], options, strict: true, allowPositionals: true });

const suggestion = (name: string, typed: string, options: ParseArgsOptionsConfig): string => {
  const meant = nearestTo(typed, Object.keys(options));
  if (meant !== undefined) return `did you mean --${meant}?`;
  const known = Object.keys(options).map((option) => `--${option}`);
  return known.length === 0 ? `${name} takes no options` : `it knows ${known.join(', ')}`;
};

/** @throws PermanentError that names all that is wrong */
export const readCommandLine = <const O extends ParseArgsOptionsConfig>(
  { name, options, words = 0 }: Command<O>,
  { args, environment }: Given,
): ReturnType<typeof values<O>> => {
  const wrong: string[] = [];
  const swallowed = swallowedOptions(Object.keys(options), environment);
  for (const { typed, meant } of swallowed)
    wrong.push(`npm kept --${typed} for itself: put two dashes before options, ${name} -- --${meant} …`);
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  for (const token of tokens) {
    if (token.kind !== 'option' || token.name in options) continue;
    wrong.push(`there is no option ${token.rawName}: ${suggestion(name, token.name, options)}`);
  }
  const extra = tokens.filter(({ kind }) => kind === 'positional').slice(words);
  // What a swallowed option leaves behind is its value, and an unknown one's too.
  if (wrong.length === 0)
    for (const token of extra) if (token.kind === 'positional') wrong.push(`${token.value} is one word too many`);
  if (wrong.length > 0) throw new PermanentError('Usage', wrong.join('; '));
  try {
    return values(args, options);
  } catch (error) {
    throw new PermanentError('Usage', (error instanceof Error ? error.message : String(error)).split('. ')[0] ?? '');
  }
};
