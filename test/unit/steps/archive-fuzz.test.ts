/** Whatever bytes an archive has: it is unpacked, or refused with one of our own errors; nothing is left half, nothing is touched beside it. */
import { readdirSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PermanentError } from '../../../lib/errors/expected.ts';
import { unpackArchive } from '../../../lib/steps/archive/unpack.ts';
import { gnuMagic, octal, paxHeader, rawTar, type TarMember, tarMember, v7Magic } from '../../support/tar.ts';
import { archiveBench, type Bench, listing } from '../../support/unpacked.ts';
import { extraField, zipOf } from '../../support/zip.ts';

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

const members = [
  { name: 'a/b.txt', content: 'hello hello hello' },
  { name: 'c', content: 'x'.repeat(400) },
];
const sparse: TarMember = {
  name: 's',
  type: 'S',
  magic: gnuMagic,
  body: 'data',
  fields: { 386: octal(4096, 12) + octal(4, 12), 483: octal(9000, 12) },
};
const tar = rawTar([
  paxHeader([
    ['path', 'long'],
    ['GNU.sparse.size', '5000'],
    ['GNU.sparse.map', '100,10'],
  ]),
  { name: 'p', body: '0123456789' },
  { name: 'L', type: 'L', body: 'n'.repeat(150), magic: gnuMagic },
  sparse,
  ...members.map(({ name, content }) => ({ name, body: content })),
]);
const zip = zipOf(members.map((member) => ({ ...member, extra: extraField(0x7075, Buffer.alloc(9)) })));
const archives = { zip, tar, 'tar.gz': gzipSync(tar), 'tar.zst': zstdCompressSync(tar) } as const;

/** Some bytes overwritten, some left out, some put in, the end perhaps cut off. */
const damage = fc.record({
  edits: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
  cut: fc.option(fc.nat(), { nil: undefined }),
  moved: fc.option(fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 40 })), { nil: undefined }),
});

/** What is compared: a counterexample is shown with its error. */
const outcome = async (property: Parameters<typeof fc.check>[0], numRuns: number) => {
  const { failed, counterexample, errorInstance } = await fc.check(property, { numRuns });
  return { failed, counterexample, errorInstance };
};
const held = { failed: false, counterexample: null, errorInstance: null };

describe('a damaged archive', () => {
  it.each(['zip', 'tar', 'tar.gz', 'tar.zst'] as const)(
    'of kind %s is unpacked, or refused with a sentence, and touches nothing else',
    async (kind) => {
      const ends = fc.asyncProperty(damage, async ({ edits, cut, moved }) => {
        let bytes = Buffer.from(archives[kind]);
        for (const [at, value] of edits) bytes[at % bytes.length] = value;
        if (moved !== undefined) {
          const at = moved[0] % bytes.length;
          bytes = Buffer.concat([bytes.subarray(0, at), moved[1], bytes.subarray(at)]);
        }
        await ending(cut === undefined ? bytes : bytes.subarray(0, cut % bytes.length));
      });
      expect(await outcome(ends, 200)).toEqual(held);
    },
    60_000,
  );

  it('is refused by who takes it for another kind', async () => {
    const kinds = ['zip', 'tar', 'tar.gz', 'tar.zst'] as const;
    for (const kind of kinds) {
      await bench.unpack(archives[kind]);
      for (const other of kinds.filter((one) => one !== kind))
        await expect(unpackArchive(`${bench.root}/archive`, other, { into: bench.into })).rejects.toBeInstanceOf(
          PermanentError,
        );
    }
  });
});

describe('an archive whose headers say anything', () => {
  const bytes = (maxLength: number) =>
    fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)), maxLength });
  const name = fc.oneof(
    fc
      .array(fc.constantFrom('a', 'b', '..', '.', '', '\xe4', 'n'.repeat(60)), { maxLength: 4 })
      .map((parts) => parts.join('/')),
    bytes(100),
  );
  const number = fc.oneof(
    fc.nat(2000),
    fc.bigInt({ min: 0n, max: 1n << 70n }).map(String),
    fc.constantFrom('-1', '', 'x'),
  );
  const record = fc.tuple(
    fc.constantFrom(
      'path',
      'linkpath',
      'size',
      'GNU.sparse.map',
      'GNU.sparse.size',
      'GNU.sparse.major',
      'GNU.sparse.name',
      'GNU.sparse.offset',
      'GNU.sparse.numbytes',
    ),
    fc.oneof(
      bytes(20),
      number.map(String),
      fc.array(fc.nat(3000), { maxLength: 6 }).map((all) => all.join(',')),
    ),
  );
  const member: fc.Arbitrary<TarMember> = fc
    .record({
      name,
      type: fc.oneof(
        fc.constantFrom('0', '1', '2', '3', '4', '5', '7', 'D', 'L', 'K', 'S', 'x', 'g', 'V', 'M', '\0'),
        bytes(1),
      ),
      body: bytes(700),
      magic: fc.constantFrom('ustar\x0000', gnuMagic, v7Magic),
      size: fc.option(fc.oneof(fc.nat(3000), bytes(12)), { nil: undefined }),
      mode: fc.oneof(fc.nat(0o7777), bytes(8)),
      linkName: name,
      fields: fc.record({ 386: bytes(100), 482: bytes(13), 345: bytes(30) }),
    })
    .map(({ size, ...rest }) => ({ ...rest, ...(size === undefined ? {} : { size }) }));
  const block = fc.oneof(
    { weight: 3, arbitrary: member.map(tarMember) },
    { weight: 2, arbitrary: fc.array(record, { maxLength: 4 }).map((all) => tarMember(paxHeader(all))) },
    { weight: 1, arbitrary: fc.constant(Buffer.alloc(512)) },
  );

  it('of kind tar is unpacked, or refused with a sentence', async () => {
    const seen = new Set<string>();
    const ends = fc.asyncProperty(
      fc.array(block, { minLength: 1, maxLength: 5 }),
      fc.string({ minLength: 1, maxLength: 4, unit: 'grapheme-ascii' }),
      async (blocks, last) => {
        seen.add(await ending(Buffer.concat([tarMember({ name: 'first', body: last }), ...blocks])));
      },
    );
    expect(await outcome(ends, 400)).toEqual(held);
    expect([...seen].sort()).toEqual(['refused', 'unpacked']);
  }, 60_000);

  it('of kind zip is unpacked, or refused with a sentence', async () => {
    const entry = fc.record({
      name: fc.constant(''),
      nameBytes: name.map((text) => Buffer.from(text, 'latin1')),
      content: fc.string({ maxLength: 50 }),
      maker: fc.constantFrom(0, 3, 10, 19, 77),
      method: fc.constantFrom(0, 8, 8, 8, 12),
      flags: fc.constantFrom(0, 0, 0, 1, 1 << 11),
      attributes: fc.nat(0xffffffff),
      extra: fc.uint8Array({ maxLength: 30 }).map((all) => Buffer.from(all)),
    });
    const seen = new Set<string>();
    const ends = fc.asyncProperty(fc.array(entry, { maxLength: 4 }), async (entries) => {
      seen.add(await ending(zipOf(entries)));
    });
    expect(await outcome(ends, 300)).toEqual(held);
    expect([...seen].sort()).toEqual(['refused', 'unpacked']);
  }, 60_000);
});
