/** `npm run chart`: writes the template of the Helm chart; commit what changed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCommandLine } from '../command-line/read.ts';
import { chartTemplate } from './render.ts';

try {
  readCommandLine({ name: 'npm run chart', options: {} }, { args: process.argv.slice(2), environment: process.env });
  writeFileSync(join(import.meta.dirname, 'templates', 'relay.yaml'), chartTemplate());
  process.stdout.write('infra/chart/templates/relay.yaml\n');
} catch (error) {
  process.stderr.write(`npm run chart: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
