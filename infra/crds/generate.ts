/** Writes the CustomResourceDefinitions beside this file: `node infra/crds/generate.ts`, then commit what changed. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCommandLine } from '../command-line/read.ts';
import { crdFiles } from './render.ts';

try {
  readCommandLine({ name: 'npm run crds', options: {} }, { args: process.argv.slice(2), environment: process.env });
  mkdirSync(join(import.meta.dirname, 'converted'), { recursive: true });
  for (const { name, text } of crdFiles()) {
    writeFileSync(join(import.meta.dirname, name), text);
    process.stdout.write(`infra/crds/${name}: ${Buffer.byteLength(text)} bytes\n`);
  }
} catch (error) {
  process.stderr.write(`npm run crds: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
