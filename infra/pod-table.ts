/** Writes the table of what pods end by and wait for into docs/builds.md: `node infra/pod-table.ts`, then commit what changed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { podTable } from '../lib/builds/pod-table.ts';

const page = join(import.meta.dirname, '..', 'docs', 'builds.md');
const [begin, end] = ['<!-- pod table: node infra/pod-table.ts -->\n', '\n<!-- end of the pod table -->'];

const text = readFileSync(page, 'utf8');
const [from, to] = [text.indexOf(begin), text.indexOf(end)];
if (from < 0 || to < from)
  throw new Error(`${page} has no place for the table between ${begin.trim()} and ${end.trim()}`);
writeFileSync(page, `${text.slice(0, from + begin.length)}${podTable()}${text.slice(to)}`);
