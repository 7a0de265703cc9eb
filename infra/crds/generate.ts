/** Writes the CustomResourceDefinitions beside this file and the reference in docs/api: `npm run crds`, then commit what changed. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { readCommandLine } from '../command-line/read.ts';
import { referencePages } from './reference.ts';
import { convertedCrdFiles, crdFiles } from './render.ts';

const root = join(import.meta.dirname, '../..');

const write = (folder: string, files: readonly { readonly name: string; readonly text: string }[]): void => {
  mkdirSync(folder, { recursive: true });
  for (const { name, text } of files) {
    writeFileSync(join(folder, name), text);
    process.stdout.write(`${relative(root, join(folder, name))}: ${Buffer.byteLength(text)} bytes\n`);
  }
};

try {
  readCommandLine({ name: 'npm run crds', options: {} }, { args: process.argv.slice(2), environment: process.env });
  write(import.meta.dirname, crdFiles());
  write(join(import.meta.dirname, 'converted'), convertedCrdFiles());
  write(join(root, 'docs/api'), referencePages());
} catch (error) {
  process.stderr.write(`npm run crds: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
