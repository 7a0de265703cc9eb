/** Damaged and odd archives, read beside Go's archive/tar and archive/zip: what Go reads is read the same, or refused for a reason that is ours. */
import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PermanentError } from '../../../lib/errors/expected.ts';
import { unpackArchive } from '../../../lib/steps/archive/unpack.ts';
import { archivesAsGo, asGoWrites } from '../../support/archive-oracle.ts';
import { damaged, manyEntries, manyForms, oddTar, oddZip } from '../../support/odd-archives.ts';
import { reportMissing } from '../../support/oracle-process.ts';
import { archiveBench, hashedContent, listing } from '../../support/unpacked.ts';

const go = await archivesAsGo().catch((error: unknown) => void reportMissing('Go', error));

/** Refused on purpose where Go goes on: what would be lost, lie outside, or be two things at once. */
const ours = [
  'is of type',
  'goes on from another volume',
  'leaves the source folder',
  'cannot be a file name',
  'is a file without a name',
  'is a folder and has content',
  'is a file and a folder in one',
  'in the place of a folder',
  'is below a file',
  'too long for the disk',
  'behind an empty block',
  'is there twice with different content',
  'would be the same as',
  'is encrypted',
  'is sparse',
  'it is one part of several',
];

describe.skipIf(go === undefined)('an archive', () => {
  it.each([
    ['tar', 'damaged', damaged(manyForms), 600],
    ['tar', 'odd', oddTar, 2500],
    ['zip', 'damaged', damaged(manyEntries), 400],
    ['zip', 'odd', oddZip, 600],
  ] as const)(
    'of kind %s that is %s and that Go reads is read the same',
    { timeout: 180_000 },
    async (kind, _how, archives, samples) => {
      await using bench = await archiveBench();
      const files = fc.sample(archives, { numRuns: samples, seed: 14 }).map((bytes, n) => {
        const file = join(bench.root, `${n}.${kind}`);
        writeFileSync(file, bytes);
        return file;
      });
      const theirs = (await go?.(files)) ?? [];
      const different: unknown[] = [];
      let same = 0;
      for (const [index, file] of files.entries()) {
        const read = theirs[index];
        if (read === undefined || read.error !== '') continue;
        const into = join(bench.root, `out-${index}`);
        const refusal = await unpackArchive(file, kind, { into }).then(
          () => undefined,
          (error: unknown) => (error instanceof PermanentError ? error.message : Promise.reject(error as Error)),
        );
        const [found, expected] = [listing(into, hashedContent), asGoWrites(read)];
        await rm(into, { recursive: true, force: true });
        if (refusal === undefined && isDeepStrictEqual(found, expected)) same += 1;
        else if (refusal === undefined || !ours.some((why) => refusal.includes(why)))
          different.push({ index, refusal, found, expected });
      }
      expect(different).toEqual([]);
      expect(same).toBeGreaterThan(samples / 50);
    },
  );

  it('of every form that is whole is what Go reads', async () => {
    await using bench = await archiveBench();
    for (const [name, bytes] of [
      ['whole.tar', manyForms],
      ['whole.zip', manyEntries],
    ] as const) {
      const file = join(bench.root, name);
      writeFileSync(file, bytes);
      const [read = { entries: [], error: 'nothing was read' }] = (await go?.([file])) ?? [];
      await bench.unpackFile(file);
      expect(read.error).toBe('');
      expect(listing(bench.into, hashedContent)).toEqual(asGoWrites(read));
    }
  });
});
