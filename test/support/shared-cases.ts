/**
 * Manifests and mistakes that were given to kpack, with its answers: data that lives beside the checkout, in `../shared/cases` or where
 * KPACKLESS_CASES says. Without it the suites that replay them are skipped, with a printed reason.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const folders = [
  process.env['KPACKLESS_CASES'],
  resolve(repository, '../shared/cases'),
  resolve(repository, '../../shared/cases'),
];
const folder = folders.find((path) => path !== undefined && existsSync(path));

/** Whether they are there; says so once when they are not. */
export const sharedCasesAreHere = folder !== undefined;
if (!sharedCasesAreHere)
  console.log(
    'replays of manifests and mistakes skipped: there is no ../shared/cases (set KPACKLESS_CASES to its folder)',
  );

/** A list of cases; empty when they are not there. */
export const sharedCases = (file: string): readonly unknown[] =>
  folder === undefined ? [] : (JSON.parse(readFileSync(join(folder, file), 'utf8')) as readonly unknown[]);
