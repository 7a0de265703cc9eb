/** `kpackless stack`: makes a stack out of a function's log readable, by the source map that `npm run deploy` has left in dist/. */
import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { isAbsolute, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { PermanentError } from '../../lib/errors/expected.ts';
import { mappedStack, type SourceOf } from '../../lib/text/mapped-stack.ts';
import { callOf, type Registrar } from './context.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A log line's stack is a text within JSON. */
const withLines = (text: string): string => text.replaceAll('\\n', '\n');

/** What a source map says, its files by their path in the checkout. `folder` is where the map lies. */
export const sourceIn = (map: SourceMapPayload, folder: string): SourceOf => {
  const found = new SourceMap(map);
  return ({ line, column }) => {
    // V8 counts from 1, a map from 0.
    const entry = found.findEntry(line - 1, column - 1);
    if (!('originalSource' in entry)) return undefined;
    const file = isAbsolute(entry.originalSource) ? entry.originalSource : join(folder, entry.originalSource);
    return { file: relative(root, file), line: entry.originalLine + 1, column: entry.originalColumn + 1 };
  };
};

const mapOf = (name: string): { readonly map: SourceMapPayload; readonly folder: string } => {
  const folder = join(root, 'dist', name);
  for (const file of ['handler', 'main'])
    try {
      return { map: JSON.parse(readFileSync(join(folder, `${file}.mjs.map`), 'utf8')) as SourceMapPayload, folder };
    } catch {
      // The other name.
    }
  throw new PermanentError(
    'SourceMap',
    `there is no source map in dist/${name}: check out the commit that was deployed and run npm run bundle, which makes the same bundles`,
  );
};

/** Adds it. */
export const addStack = (program: Command, registrar: Registrar): void => {
  program
    .command('stack')
    .argument('<function>', 'whose log it is from, `image` or `relay`')
    .argument('[file]', 'where the text is; standard input without')
    .description('a stack out of a log, by files and lines of the source')
    .addHelpText(
      'after',
      `
Bundles are minified; their source maps stay in dist/ and are not deployed.

Examples:
  $ pbpaste | kpackless stack image
  $ kpackless stack git-poll line.json`,
    )
    .action((name: string, file: string | undefined, _options: object, command: Command) => {
      const { map, folder } = mapOf(name);
      const text = withLines(readFileSync(file ?? 0, 'utf8'));
      const stack = mappedStack(text, sourceIn(map, folder));
      callOf(registrar, command).output.answer({ lines: stack.trimEnd().split('\n'), json: { stack } });
    });
};
