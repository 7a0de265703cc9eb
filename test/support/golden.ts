/**
 * Recordings of what kpack made of given inputs: data that lives beside the checkout, in `../shared/golden` or where KPACKLESS_GOLDEN
 * says. Without it the parity tests are skipped, with a printed reason.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** The folder of the recordings. */
export const goldenFolder = process.env['KPACKLESS_GOLDEN'] ?? resolve(repository, '../shared/golden');

/** Whether the recordings are there; says so once when they are not. */
export const goldenIsHere = existsSync(goldenFolder);
if (!goldenIsHere)
  console.log(`parity tests skipped: no recordings in ${goldenFolder} (set KPACKLESS_GOLDEN to their folder)`);

/** One recording, parsed. */
export const golden = (path: string): unknown => JSON.parse(readFileSync(join(goldenFolder, path), 'utf8'));

/** The recordings of a folder by file name, `_world.json` left out; none when the recordings are not there. */
export const goldenFiles = (folder: string): readonly string[] =>
  goldenIsHere
    ? readdirSync(join(goldenFolder, folder))
        .filter((name) => name.endsWith('.json') && !name.startsWith('_'))
        .sort()
    : [];
