/** Whatever bytes an archive has: it is unpacked, or refused with one of our own errors; nothing is left half, nothing is touched beside it. */
import { readdirSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PermanentError } from '../../../lib/errors/expected.ts';
import { unpackArchive } from '../../../lib/steps/archive/unpack.ts';
import { damaged, manyEntries, manyForms, oddTar, oddZip } from '../../support/odd-archives.ts';
import { archiveBench, type Bench, listing } from '../../support/unpacked.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await archiveBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

const limits = { maxEntries: 100, maxBytes: 1 << 20, maxRatio: 1000 };

/** How it ended. Anything but these fails the property. */
const ending = async (bytes: Uint8Array): Promise<'unpacked' | 'refused'> => {
  try {
    await bench.unpack(bytes, { limits });
    return 'unpacked';
  } catch (error) {
    if (!(error instanceof PermanentError)) throw error;
    if (/:\s*$/.test(error.message)) throw new Error(`nothing behind the colon: ${error.message}`, { cause: error });
    const left = Object.keys(listing(bench.into));
    if (left.length > 0) throw new Error(`left ${left.join(', ')}`, { cause: error });
    return 'refused';
  } finally {
    expect(readdirSync(bench.root).sort()).toEqual(['archive', 'out']);
  }
};

/** What is compared: a counterexample is shown with its error. Both endings are to be seen. */
const outcome = async (archives: fc.Arbitrary<Buffer>, numRuns: number) => {
  const seen = new Set<string>();
  const ends = fc.asyncProperty(archives, async (bytes) => void seen.add(await ending(bytes)));
  const { failed, counterexample, errorInstance } = await fc.check(ends, { numRuns });
  return { failed, counterexample, errorInstance, seen: [...seen].sort() };
};
const held = { failed: false, counterexample: null, errorInstance: null, seen: ['refused', 'unpacked'] };

describe('an archive', { timeout: 60_000 }, () => {
  const archives = {
    zip: manyEntries,
    tar: manyForms,
    'tar.gz': gzipSync(manyForms),
    'tar.zst': zstdCompressSync(manyForms),
  } as const;
  const kinds = ['zip', 'tar', 'tar.gz', 'tar.zst'] as const;

  it.each(['zip', 'tar'] as const)(
    'of kind %s that is damaged is unpacked, or refused with a sentence',
    async (kind) => {
      expect(await outcome(damaged(archives[kind]), 250)).toEqual(held);
    },
  );

  it.each(['tar.gz', 'tar.zst'] as const)(
    'of kind %s that is damaged is refused with a sentence, or unpacked',
    async (kind) => {
      const { seen, ...rest } = await outcome(damaged(archives[kind]), 250);
      expect([rest, seen.includes('refused')]).toEqual([
        { failed: false, counterexample: null, errorInstance: null },
        true,
      ]);
    },
  );

  it.each([
    ['tar', oddTar],
    ['zip', oddZip],
  ])('of kind %s whose headers say anything is unpacked, or refused with a sentence', async (_kind, odd) => {
    expect(await outcome(odd, 400)).toEqual(held);
  });

  it('is refused by who takes it for another kind', async () => {
    for (const kind of kinds) {
      await bench.unpack(archives[kind]);
      for (const other of kinds.filter((one) => one !== kind))
        await expect(unpackArchive(`${bench.root}/archive`, other, { into: bench.into })).rejects.toBeInstanceOf(
          PermanentError,
        );
    }
  });
});
