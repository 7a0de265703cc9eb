/** Archives for property tests: whole ones in which bytes are changed, and ones whose headers are well formed and say anything. */
import * as fc from 'fast-check';
import { gnuMagic, octal, paxHeader, rawTar, type TarMember, tarEnd, tarMember, v7Magic } from './tar.ts';
import { extraField, zipOf } from './zip.ts';

/** Some bytes overwritten, some put in, the end perhaps cut off. */
export const damaged = (whole: Buffer): fc.Arbitrary<Buffer> =>
  fc
    .record({
      edits: fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      inserted: fc.option(fc.tuple(fc.nat(whole.length), fc.uint8Array({ maxLength: 40 })), {
        nil: undefined,
        freq: 2,
      }),
      cut: fc.option(fc.nat(whole.length), { nil: undefined, freq: 2 }),
    })
    .map(({ edits, inserted, cut }) => {
      const bytes = Buffer.from(whole);
      for (const [at, value] of edits) bytes[at] = value;
      const [at, more] = inserted ?? [0, Buffer.alloc(0)];
      return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]).subarray(0, cut);
    });

/** Text of bytes, a character for each. */
const bytes = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)), maxLength });

const part = fc.constantFrom('a', 'b', 'c', '..', '.', '', '\xe4', 'n'.repeat(60));
const someName = fc.oneof(
  { weight: 4, arbitrary: fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')) },
  { weight: 1, arbitrary: bytes(100) },
);
const someNumber = fc.oneof(
  fc.nat(2000).map(String),
  fc.bigInt({ min: 0n, max: 1n << 70n }).map(String),
  fc.constantFrom('-1', '', 'x'),
);
const ascending = fc
  .array(fc.nat(300), { maxLength: 6 })
  .map((steps) => steps.map((_, index) => steps.slice(0, index + 1).reduce((sum, step) => sum + step, 0)).join(','));

const record: fc.Arbitrary<readonly [string, string]> = fc.oneof(
  fc.tuple(fc.constantFrom('path', 'linkpath', 'GNU.sparse.name', 'comment'), someName),
  fc.tuple(
    fc.constantFrom('size', 'mtime', 'GNU.sparse.size', 'GNU.sparse.realsize', 'GNU.sparse.numblocks'),
    someNumber,
  ),
  fc.tuple(fc.constantFrom('GNU.sparse.major', 'GNU.sparse.minor'), fc.constantFrom('0', '1')),
  fc.tuple(fc.constantFrom('GNU.sparse.offset', 'GNU.sparse.numbytes'), someNumber),
  fc.tuple(fc.constant('GNU.sparse.map'), fc.oneof(ascending, bytes(20))),
);

const member: fc.Arbitrary<TarMember> = fc
  .record({
    name: someName,
    type: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('0', '0', '5', '\0', '7') },
      { weight: 2, arbitrary: fc.constantFrom('1', '2', '3', '6', 'D', 'L', 'K', 'S', 'x', 'g', 'V', 'M') },
      // X is the extended header of Solaris, which GNU tar knows and Go passes over.
      { weight: 1, arbitrary: bytes(1).filter((type) => type !== 'X') },
    ),
    body: bytes(700),
    magic: fc.constantFrom('ustar\x0000', gnuMagic, v7Magic),
    size: fc.option(fc.oneof(fc.nat(3000), bytes(12)), { nil: undefined, freq: 1 }),
    mode: fc.oneof(fc.nat(0o7777), bytes(8)),
    prefix: fc.constantFrom('', '', 'pre', 'pre/fix'),
    fields: fc.option(fc.record({ 386: bytes(100), 482: bytes(13) }), { nil: {} }),
  })
  .map(({ size, fields, ...rest }) => ({ ...rest, fields, ...(size === undefined ? {} : { size }) }));

const block = fc.oneof(
  { weight: 6, arbitrary: member.map(tarMember) },
  { weight: 2, arbitrary: fc.array(record, { maxLength: 4 }).map((all) => tarMember(paxHeader(all))) },
  { weight: 1, arbitrary: fc.constant(Buffer.alloc(512)) },
);

/** Tar archives of well-formed headers that say anything. */
export const oddTar: fc.Arbitrary<Buffer> = fc
  .tuple(fc.array(block, { minLength: 1, maxLength: 4 }), fc.constantFrom(tarEnd, Buffer.alloc(512), Buffer.alloc(0)))
  .map(([blocks, end]) => Buffer.concat([tarMember({ name: 'first', body: 'of all' }), ...blocks, end]));

const zipEntry = fc.record({
  name: fc.constant(''),
  nameBytes: someName.filter((text) => !text.includes('\\')).map((text) => Buffer.from(text, 'latin1')),
  content: fc.string({ maxLength: 50 }),
  maker: fc.constantFrom(0, 3, 11, 19, 77),
  method: fc.constantFrom(0, 8, 8, 8, 12),
  flags: fc.constantFrom(0, 0, 0, 1, 1 << 11),
  attributes: fc.nat(0xffffffff),
  extra: fc.uint8Array({ maxLength: 30 }).map((all) => Buffer.from(all)),
});

/** Zip archives of well-formed entries that say anything, but for `\\`, which Go leaves to its callers. */
export const oddZip: fc.Arbitrary<Buffer> = fc.array(zipEntry, { maxLength: 4 }).map((entries) => zipOf(entries));

/** Every form of tar header that Go reads, in one archive. */
export const manyForms = rawTar([
  paxHeader([
    ['path', 'x/long'],
    ['mtime', '-1.5'],
    ['GNU.sparse.size', '900'],
    ['GNU.sparse.numblocks', '2'],
    ['GNU.sparse.map', '5,3,100,2'],
  ]),
  { name: 'short', body: '01234' },
  { name: 'L', type: 'L', body: 'named/by/gnu', magic: gnuMagic },
  {
    name: 'n',
    type: 'S',
    magic: gnuMagic,
    body: 'xyz',
    fields: { 386: octal(700, 12) + octal(3, 12), 483: octal(800, 12) },
  },
  { name: 'old/', type: '\0', magic: v7Magic },
  { name: 'plain', body: 'p', prefix: 'pre/fix' },
]);

/** Several forms of zip entries. */
export const manyEntries = zipOf([
  { name: 'a/b', content: 'hello', extra: extraField(0x7075, Buffer.alloc(9)) },
  { name: 'c', content: 'x'.repeat(40), maker: 0 },
  { name: 'd/', content: '' },
]);
