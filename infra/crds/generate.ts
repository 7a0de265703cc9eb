/** Writes the CustomResourceDefinitions beside this file: `node infra/crds/generate.ts`, then commit what changed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crdFiles } from './render.ts';

for (const { name, text } of crdFiles()) {
  writeFileSync(join(import.meta.dirname, name), text);
  console.log(`infra/crds/${name}: ${Buffer.byteLength(text)} bytes`);
}
