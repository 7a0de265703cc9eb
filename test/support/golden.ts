/** Recordings of what kpack made of given inputs: the files of test/recordings, whose README.md says what each is. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the recordings. */
export const goldenFolder = fileURLToPath(new URL('../recordings', import.meta.url));

/** One recording, parsed. */
export const golden = (path: string): unknown => JSON.parse(readFileSync(join(goldenFolder, path), 'utf8'));

/** The recordings of a folder by file name, `_world.json` left out. */
export const goldenFiles = (folder: string): readonly string[] =>
  readdirSync(join(goldenFolder, folder))
    .filter((name) => name.endsWith('.json') && !name.startsWith('_'))
    .sort();
