/** gzip and zstd as they come, and what is compressed otherwise. */
import { createHash } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decompressed } from '../../../lib/steps/archive/decompress.ts';
import { octal, rawTar } from '../../support/tar.ts';
import { archiveBench, type Bench, shownContent } from '../../support/unpacked.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await archiveBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

/** Of a kind that does not become much smaller. */
const large = Array.from({ length: 8000 }, (_, n) => createHash('sha256').update(String(n)).digest('hex')).join('');
const tar = rawTar([
  { name: 'a', body: 'content of a' },
  { name: 'large', body: large },
]);
const found = { a: 'content of a', large: shownContent(Buffer.from(large)) };
/** In the middle of the large file. */
const half = 200_000;
const [first, second] = [tar.subarray(0, half), tar.subarray(half)];
const rubbish = Buffer.from('rubbish behind the end '.repeat(100));
/** RFC 8878 §3.1.2. */
const skipped = Buffer.concat([Buffer.from([0x52, 0x2a, 0x4d, 0x18, 5, 0, 0, 0]), Buffer.from('hello')]);

/** With every field that a header may have (RFC 1952 §2.3.1). */
const withAllFields = (bytes: Buffer): Buffer => {
  const fields = Buffer.from([3, 0, 1, 2, 3, ...Buffer.from('name\0comment\0'), 0, 0]);
  return Buffer.concat([
    bytes.subarray(0, 3),
    Buffer.from([2 + 4 + 8 + 16]),
    bytes.subarray(4, 10),
    fields,
    bytes.subarray(10),
  ]);
};

describe('a compressed archive', () => {
  it.each([
    ['gzip in one member', gzipSync(tar)],
    ['gzip in several', Buffer.concat([gzipSync(first), gzipSync(Buffer.alloc(0)), gzipSync(second)])],
    ['gzip with all fields', withAllFields(gzipSync(tar))],
    ['gzip with zeros behind it', Buffer.concat([gzipSync(tar), Buffer.alloc(5000)])],
    ['gzip with rubbish behind it', Buffer.concat([gzipSync(tar), rubbish])],
    [
      'gzip with rubbish like a header behind it',
      Buffer.concat([gzipSync(tar), Buffer.from([0x1f, 0x8b, 0xff]), rubbish]),
    ],
    ['zstd in one frame', zstdCompressSync(tar)],
    ['zstd in several', Buffer.concat([zstdCompressSync(first), zstdCompressSync(second)])],
    [
      'zstd with frames to skip',
      Buffer.concat([skipped, zstdCompressSync(first), skipped, zstdCompressSync(second), skipped]),
    ],
    ['zstd with rubbish behind it', Buffer.concat([zstdCompressSync(tar), rubbish])],
  ])('in %s is read whole', async (_what, bytes) => {
    expect(await bench.unpack(bytes)).toEqual(found);
  });

  it.each([
    ['gzip', gzipSync(tar)],
    ['zstd', zstdCompressSync(tar)],
    ['gzip', Buffer.concat([gzipSync(first), gzipSync(second)])],
  ])('in %s that is cut short or damaged is refused wherever that is, and leaves nothing', async (name, bytes) => {
    for (const cut of [20, 300, bytes.length - 9, bytes.length - 1])
      expect(await bench.refusal(bytes.subarray(0, cut))).toBe(
        `PermanentError: the source archive cannot be read: its ${name} data ends too early; fetch or make it anew`,
      );
    if (name === 'zstd') return;
    const damaged = Buffer.from(bytes);
    damaged.writeUInt8((damaged.at(-5) ?? 0) ^ 1, damaged.length - 5);
    expect(await bench.refusal(damaged)).toBe(
      'PermanentError: the source archive cannot be read: its gzip data is damaged; fetch or make it anew',
    );
  });

  it('is read whole wherever its members end and however its bytes arrive', async () => {
    const content = tar.subarray(0, 60_000);
    const members = fc.record({
      cuts: fc.array(fc.nat(content.length), { maxLength: 5 }),
      pieceBytes: fc.integer({ min: 50, max: 70_000 }),
      compression: fc.constantFrom('gzip' as const, 'zstd' as const),
    });
    const isWhole = fc.asyncProperty(members, async ({ cuts, pieceBytes, compression }) => {
      const ends = [0, ...cuts.toSorted((one, other) => one - other), content.length];
      const compress = compression === 'gzip' ? gzipSync : zstdCompressSync;
      const bytes = Buffer.concat(ends.slice(1).map((end, n) => compress(content.subarray(ends[n], end))));
      const arriving = async function* (): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
      };
      const parts: Uint8Array[] = [];
      for await (const part of decompressed(arriving(), compression)) parts.push(part);
      return Buffer.concat(parts).equals(content);
    });
    expect(await fc.check(isWhole, { numRuns: 60 })).toMatchObject({ failed: false });
  });

  it.each([
    ['xz', 'fd377a585a00'],
    ['bzip2', '425a6839'],
    ['lz4', '04224d18'],
    ['lzip', '4c5a4950'],
    ['compress', '1f9d90'],
    ['7z', '377abcaf271c'],
    ['rar', '526172211a0700'],
  ])('in %s is refused by name', async (name, magic) => {
    expect(await bench.refusal(Buffer.concat([Buffer.from(magic, 'hex'), Buffer.alloc(600, 'x')]))).toBe(
      `PermanentError: unexpected blob file type, must be one of .zip, .tar.gz, .tar, .jar; this is ${name}`,
    );
  });

  it('that has next to nothing in it but what is passed over is refused before it has been read for hours', async () => {
    const nothing = gzipSync(
      Buffer.concat([rawTar([{ name: 'd/', type: 'D', size: octal(200 << 20, 12) }]), Buffer.alloc(200 << 20)]),
      { level: 1 },
    );
    const limits = { maxEntries: 10, maxBytes: 1 << 20, maxRatio: 1000 };
    expect(await bench.refusal(nothing, { limits })).toBe(
      'PermanentError: the source archive unpacks to more than 71303168 bytes of archive; it is refused',
    );
  });

  it.each([
    ['gzip', gzipSync(gzipSync(tar)), 'gzip'],
    ['zstd', zstdCompressSync(gzipSync(tar)), 'gzip'],
    ['gzip', gzipSync(zstdCompressSync(tar)), 'zstd'],
  ])('twice is refused with what to do: %s', async (_, bytes, inner) => {
    expect(await bench.refusal(bytes)).toBe(
      `PermanentError: the source archive cannot be read: what was compressed is ${inner} itself; compress it once`,
    );
  });

  it('by zstd with a window that zstd itself does not take is refused with what to do', async () => {
    // RFC 8878 §3.1.1.1: no content size, a window of 2 GiB, then one empty last block.
    const frame = Buffer.from('28b52ffd00a8010000', 'hex');
    expect(await bench.refusal(frame)).toBe(
      'PermanentError: the source archive cannot be read: its zstd data looks back farther than 128 MiB; compress it anew with --long=27 or without --long',
    );
  });

  it('that holds no tar is refused', async () => {
    expect(await bench.refusal(gzipSync(Buffer.alloc(2000, 'text')))).toBe(
      'PermanentError: the source archive cannot be read: no entry begins at byte 0, where one should; fetch or make it anew',
    );
  });
});
