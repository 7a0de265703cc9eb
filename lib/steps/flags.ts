/** Command lines in the form of Go's `flag` package, which the build pod's arguments have (spec 03 §10): `-x`, `--x`, `-x=v`, `-x v`. */

/** Which flags a program knows. Everything not listed is refused. */
export interface FlagNames {
  /** Flags with one value; the last one counts. */
  readonly values: readonly string[];
  /** Flags that may be repeated. */
  readonly lists: readonly string[];
  /** Flags whose value may be left out, meaning true; given only as `-x` or `-x=v`. */
  readonly booleans?: readonly string[];
}

export interface Flags {
  /** Only flags that were given. */
  readonly values: ReadonlyMap<string, string>;
  /** In the order given; empty when never given. */
  readonly list: (name: string) => readonly string[];
  /** Everything from the first argument that is no flag. */
  readonly rest: readonly string[];
}

/** The command line itself is wrong; the process exits with 2, as Go's `flag` does. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

interface Given {
  readonly name: string;
  readonly value: string | undefined;
}

/** Parsing ends at `--` or at the first argument that is no flag. @throws UsageError unknown flag or missing value. */
export function parseFlags(args: readonly string[], names: FlagNames): Flags {
  const values = new Map<string, string>();
  const lists = new Map<string, string[]>();
  let index = 0;
  for (; index < args.length; index += 1) {
    const given = flagIn(args[index] ?? '');
    if (given === undefined) break;
    if (given.name === '') return { values, list: listFrom(lists), rest: args.slice(index + 1) };
    const { name } = given;
    if (names.booleans?.includes(name) === true) {
      values.set(name, given.value ?? 'true');
      continue;
    }
    const isList = names.lists.includes(name);
    if (!isList && !names.values.includes(name)) throw new UsageError(`flag provided but not defined: -${name}`);
    const value = given.value ?? args[(index += 1)];
    if (value === undefined) throw new UsageError(`flag needs an argument: -${name}`);
    if (isList) lists.set(name, [...(lists.get(name) ?? []), value]);
    else values.set(name, value);
  }
  return { values, list: listFrom(lists), rest: args.slice(index) };
}

function listFrom(lists: ReadonlyMap<string, readonly string[]>): Flags['list'] {
  return (name) => lists.get(name) ?? [];
}

/** The flag in an argument; an empty name is the terminator `--`; undefined is a positional argument. */
function flagIn(arg: string): Given | undefined {
  if (arg === '--') return { name: '', value: undefined };
  if (!arg.startsWith('-') || arg === '-') return undefined;
  const bare = arg.slice(arg.startsWith('--') ? 2 : 1);
  const equals = bare.indexOf('=');
  return equals === -1
    ? { name: bare, value: undefined }
    : { name: bare.slice(0, equals), value: bare.slice(equals + 1) };
}

/** `name=value` cut at the first `=`; undefined when there is none or the name is empty. */
export function pairIn(text: string): readonly [name: string, value: string] | undefined {
  const equals = text.indexOf('=');
  return equals > 0 ? [text.slice(0, equals), text.slice(equals + 1)] : undefined;
}
