/** Forms of zip archives, each as its makers write it; test/contract/steps/real-archives.test.ts has the makers themselves. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archiveBench, type Bench } from '../../support/unpacked.ts';
import { extraField, unicodePath, type ZipMember, zipOf } from '../../support/zip.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await archiveBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

const a = { name: 'a', content: 'content of a' };
const b = { name: 'b', content: 'content of b' };
const both = { a: a.content, b: b.content };
const named = (nameBytes: Buffer, more: Partial<ZipMember> = {}): ZipMember => ({
  name: '',
  content: 'x',
  nameBytes,
  ...more,
});
const utf8 = (text: string): string => Buffer.from(text).toString('latin1');
const fat = { maker: 0, attributes: 0x20 };
const ntfs = { maker: 10, attributes: 0x20 };

describe('names in a zip archive', () => {
  it.each([
    ['CP437', ['\x84', '\x94', '\x81'], fat],
    ['Latin-1', ['\xe4', '\xf6', '\xfc'], {}],
    ['UTF-8 that no flag tells', ['ä', 'ö', 'ü'].map(utf8), {}],
    ['UTF-8 by its flag', ['ä', 'ö', 'ü'].map(utf8), { flags: 1 << 11, ...fat }],
  ])('in %s are the bytes that they are: three files stay three', async (_what, names, more) => {
    const members = names.map((name, n) => named(Buffer.from(name, 'latin1'), { content: String(n), ...more }));
    expect(await bench.unpack(zipOf(members))).toEqual(Object.fromEntries(names.map((name, n) => [name, String(n)])));
  });

  it('are those of the Unicode field, where that was made for this very name', async () => {
    const raw = Buffer.from('\x84.txt', 'latin1');
    const other = unicodePath('else.txt', Buffer.from('renamed since'));
    const late = Buffer.concat([extraField(0x5455, Buffer.alloc(5)), unicodePath('ä.txt', raw)]);
    expect(await bench.unpack(zipOf([named(raw, { extra: late, ...fat })]))).toEqual({ [utf8('ä.txt')]: 'x' });
    expect(await bench.unpack(zipOf([named(raw, { extra: other, ...fat })]))).toEqual({ '\x84.txt': 'x' });
    const broken = [
      extraField(0x7075, Buffer.from([2, 0, 0])),
      extraField(0x7075, Buffer.alloc(0)),
      Buffer.from([0x75, 0x70, 0xff, 0xff]),
    ];
    for (const extra of broken)
      expect(await bench.unpack(zipOf([named(raw, { extra, ...fat })]))).toEqual({ '\x84.txt': 'x' });
  });

  it('that would be one file are an error, and nothing is lost', async () => {
    const raw = Buffer.from('\x84', 'latin1');
    const twice = [
      named(raw, { extra: unicodePath('ä', raw), content: '1' }),
      named(Buffer.from('ä'), { content: '2' }),
    ];
    expect(await bench.refusal(zipOf(twice))).toBe(
      'PermanentError: archive entry "ä" is there twice with different content; pack it anew',
    );
    expect(await bench.refusal(zipOf([a, { ...b, name: './a' }]))).toBe(
      'PermanentError: archive entry "./a" would be the same as "a", "a", and one of them would be lost; pack it anew',
    );
    expect(
      await bench.refusal(
        zipOf([
          { ...a, name: 'x/a' },
          { ...b, name: 'y/a' },
        ]),
        { strip: 1 },
      ),
    ).toContain('would be the same as');
    expect(await bench.refusal(zipOf([a, { name: 'a/', content: '' }]))).toContain('would be the same as "a"');
    expect(await bench.refusal(zipOf([a, { ...b, name: 'a/b' }]))).toContain('is a file and a folder in one');
  });

  it('may come twice where nothing is lost by it', async () => {
    const folder = { name: 'd/', content: '' };
    expect(await bench.unpack(zipOf([folder, a, b, a, folder]))).toEqual({ ...both, 'd/': '' });
  });
});

describe('folders in a zip archive', () => {
  const paths = { 'dir/': '', 'dir/sub/': '', 'dir/sub/a': 'x', 'dir/b': 'y' };
  it.each([
    ['FAT', fat],
    ['NTFS', ntfs],
    ['NTFS by its other number', { ...ntfs, maker: 11 }],
    ['VFAT', { ...fat, maker: 14 }],
  ])('are told by backslashes where it was made on %s', async (_what, on) => {
    const members = [
      { name: 'dir\\', content: '', ...on },
      { name: 'dir\\sub\\', content: '', ...on },
      { name: 'dir\\sub\\a', content: 'x', ...on },
      { name: 'dir\\b', content: 'y', ...on },
    ];
    expect(await bench.unpack(zipOf(members))).toEqual(paths);
    expect(await bench.unpack(zipOf(members.slice(2)))).toEqual(paths);
    expect(await bench.unpack(zipOf([{ name: 'dir/sub\\', content: '', ...on }]))).toEqual({
      'dir/': '',
      'dir/sub/': '',
    });
  });

  it('are told by the attributes of their system, with or without a slash', async () => {
    const unix = { name: 'u', content: '', mode: 0o040755 };
    expect(await bench.unpack(zipOf([unix, { name: 'w', content: '', maker: 0, attributes: 0x10 }, a]))).toEqual({
      'u/': '',
      'w/': '',
      a: a.content,
    });
  });

  it('are not told by backslashes of Unix, nor by halves of characters of East Asia', async () => {
    expect(await bench.unpack(zipOf([{ name: 'a\\b', content: 'x' }]))).toEqual({ 'a\\b': 'x' });
    const shiftJis = Buffer.from('dir/\x83\x5c.txt', 'latin1');
    expect(await bench.unpack(zipOf([named(shiftJis, fat)]))).toEqual({ 'dir/': '', 'dir/\x83\x5c.txt': 'x' });
  });

  it('cannot lead out by backslashes', async () => {
    for (const name of ['..\\evil', 'a\\..\\..\\evil'])
      expect(await bench.refusal(zipOf([{ name, content: 'x', ...fat }]))).toContain('leaves the source folder');
    expect(await bench.unpack(zipOf([{ name: '\\abs', content: 'x', ...fat }]))).toEqual({ abs: 'x' });
  });

  it('have no content', async () => {
    expect(await bench.refusal(zipOf([{ name: 'd/', content: 'x' }]))).toContain(
      'archive entry "d/" is a folder and has content',
    );
  });
});

describe('a zip archive', () => {
  it.each([
    ['a program before it', { before: Buffer.from('#!/bin/sh\nexec java -jar "$0"\n'.repeat(30)) }],
    ['the mark of one that was split and put together', { before: Buffer.from('PK00') }],
    ['a comment', { comment: 'made by hand' }],
    ['a comment that looks like its end', { comment: `PK\x05\x06${'\0'.repeat(18)}` }],
    ['rubbish behind it', { behind: Buffer.from('rubbish '.repeat(1000)) }],
  ])('may have %s', async (_what, options) => {
    expect(await bench.unpack(zipOf([a, b], options))).toEqual(both);
  });

  it('may be empty', async () => {
    expect(await bench.unpack(zipOf([]))).toEqual({});
  });

  it('that says more entries than it has, or fewer, is damaged', async () => {
    expect(await bench.refusal(zipOf([a, b], { count: 3 }))).toBe(
      'PermanentError: the source is not a readable zip archive: its table of contents says 3 entries and has 2; fetch or make it anew',
    );
    expect(await bench.refusal(zipOf([a, b], { count: 1 }))).toContain('says 1 entries and has 2');
  });

  it.each([
    [1, 'compression 1 (shrink)'],
    [9, 'compression 9 (deflate64)'],
    [12, 'compression 12 (bzip2)'],
    [14, 'compression 14 (LZMA)'],
    [93, 'compression 93 (zstd)'],
    [95, 'compression 95 (xz)'],
    [4711, 'compression 4711'],
  ])('of method %i is refused by name, before anything is written', async (method, how) => {
    expect(await bench.refusal(zipOf([a, { ...b, method }]))).toBe(
      `PermanentError: archive entry "b" uses ${how}, which is not read; make the archive with deflate, as zip does by itself`,
    );
  });

  it.each([
    ['usual', 1],
    ['strong', 1 << 6],
    ['masked', 1 << 13],
  ])('with %s encryption is refused with that word, before anything is written', async (_what, flags) => {
    expect(await bench.refusal(zipOf([a, { ...b, flags }]))).toBe(
      'PermanentError: archive entry "b" is encrypted; make the archive without a password',
    );
  });

  it('that is a part of several is refused with the way to make it one', async () => {
    const split = zipOf([a]);
    split.writeUInt16LE(1, split.length - 18);
    expect(await bench.refusal(split)).toContain('it is one part of several; put them together first (zip -s 0');
  });

  it('may say 0 for a sum that its maker did not know, as Go takes it, but then no two files are known to be the same', async () => {
    const unknown = (zip: Buffer): Buffer => {
      const all = zip.toString('latin1').split('PK\u0001\u0002');
      const sumless = all.map((part, n) => (n === 0 ? part : `${part.slice(0, 12)}\0\0\0\0${part.slice(16)}`));
      return Buffer.from(sumless.join('PK\u0001\u0002'), 'latin1');
    };
    expect(await bench.unpack(unknown(zipOf([a, b])))).toEqual(both);
    expect(await bench.refusal(unknown(zipOf([a, { ...a, content: 'content of b' }])))).toContain(
      'archive entry "a" is there twice with different content',
    );
  });

  it('whose entry is not where it says is damaged', async () => {
    const zip = zipOf([a, b]);
    zip.writeUInt32LE(5, zip.indexOf('PK\u0001\u0002') + 42);
    expect(await bench.refusal(zip)).toContain('archive entry "a" has no local header');
  });
});
