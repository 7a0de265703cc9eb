import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { packTar } from 'modern-tar';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PermanentError } from '../../../lib/errors/expected.ts';
import { unpackArchive } from '../../../lib/steps/archive/unpack.ts';
import { isSystemError } from '../../../lib/steps/step.ts';
import { zipOf } from '../../support/zip.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kpackless-fuzz-'));
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

const members = [
  { name: 'a/b.txt', content: 'hello hello hello' },
  { name: 'c', content: 'x'.repeat(400) },
];
const tar = await packTar(
  members.map(({ name, content }) => ({ header: { name, size: content.length, mtime: new Date(0) }, body: content })),
);
const archives = { zip: zipOf(members), tar: Buffer.from(tar), 'tar.gz': gzipSync(tar) } as const;

/** Some bytes overwritten, the end perhaps cut off. */
const damage = fc.record({
  edits: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
  cut: fc.option(fc.nat(), { nil: undefined }),
});

describe('a damaged archive', () => {
  it.each(['zip', 'tar', 'tar.gz'] as const)(
    'of kind %s is unpacked, or refused with a sentence, and touches nothing else',
    async (kind) => {
      const refusals = fc.asyncProperty(damage, async ({ edits, cut }) => {
        const bytes = Buffer.from(archives[kind]);
        for (const [at, value] of edits) bytes[at % bytes.length] = value;
        const into = join(folder, 'out', 'deep');
        await mkdir(into, { recursive: true });
        const file = join(folder, 'archive');
        await writeFile(file, cut === undefined ? bytes : bytes.subarray(0, cut % bytes.length));
        try {
          const limits = { maxEntries: 100, maxBytes: 1 << 20, maxRatio: 1000 };
          await unpackArchive(file, kind, { into, limits });
        } catch (error) {
          if (!(error instanceof PermanentError) && !isSystemError(error)) throw error;
        }
        const beside = [...(await readdir(folder)), ...(await readdir(join(folder, 'out')))].sort();
        await rm(join(folder, 'out'), { recursive: true, force: true });
        return beside.join(' ') === 'archive deep out';
      });
      const { failed, counterexample, errorInstance } = await fc.check(refusals, { numRuns: 150 });
      expect({ failed, counterexample, errorInstance }).toMatchObject({ failed: false });
    },
    60_000,
  );
});
