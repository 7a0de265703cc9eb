/** Forms of tar archives, each as its makers write it; test/contract/steps/real-archives.test.ts has the makers themselves. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  base256,
  gnuMagic,
  octal,
  paxHeader,
  rawTar,
  tarEnd,
  tarHeader,
  tarMember,
  v7Magic,
} from '../../support/tar.ts';
import { archiveBench, type Bench } from '../../support/unpacked.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await archiveBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

const a = { name: 'a', body: 'content of a' };
const b = { name: 'b', body: 'content of b' };
const both = { a: a.body, b: b.body };

describe('the end of a tar archive', () => {
  it.each([
    ['none', Buffer.alloc(0)],
    ['one block of zeros', Buffer.alloc(512)],
    ['a part of a block of zeros', Buffer.alloc(100)],
    ['more zeros', Buffer.alloc(10_240)],
    ['rubbish behind it', Buffer.concat([tarEnd, Buffer.from('rubbish '.repeat(300))])],
    ['rubbish behind one block of zeros', Buffer.concat([Buffer.alloc(512), Buffer.from('rubbish '.repeat(300))])],
    ['another archive behind it', Buffer.concat([tarEnd, rawTar([{ name: 'c', body: 'not of this archive' }])])],
  ])('may be %s', async (_what, end) => {
    expect(await bench.unpack(rawTar([a, b], end))).toEqual(both);
  });

  it('is no archive of nothing where something else follows zeros, as in images of disks', async () => {
    for (const zeros of [512, 1024, 32_768]) {
      const disk = Buffer.concat([Buffer.alloc(zeros), Buffer.from('\u0001CD001\u0001'.padEnd(4096, 'x'))]);
      expect(await bench.refusal(disk)).toBe(
        'PermanentError: the source archive cannot be read: it begins with zeros, and what follows is no tar archive; fetch or make it anew',
      );
    }
    expect(await bench.unpack(Buffer.alloc(20_480))).toEqual({});
  });

  it('may lack the padding of the last file', async () => {
    const whole = rawTar([a, b], Buffer.alloc(0));
    expect(await bench.unpack(whole.subarray(0, whole.length - 500))).toEqual(both);
    expect(await bench.unpack(whole.subarray(0, whole.length - 300))).toEqual(both);
  });

  it('in the middle of a file, or of a header, is an error that says where', async () => {
    const whole = rawTar([a, b], Buffer.alloc(0));
    expect(await bench.refusal(whole.subarray(0, whole.length - 505))).toBe(
      'PermanentError: the source archive cannot be read: it ends in entry "b"; fetch or make it anew',
    );
    expect(await bench.refusal(whole.subarray(0, 1024 + 200))).toBe(
      'PermanentError: the source archive cannot be read: it ends in the middle of a header at byte 1024; fetch or make it anew',
    );
  });

  it('is not one when entries come behind a single block of zeros: they would be lost', async () => {
    expect(await bench.refusal(Buffer.concat([tarMember(a), Buffer.alloc(512), rawTar([b])]))).toBe(
      'PermanentError: the source archive cannot be read: behind an empty block at byte 1024, which ends an archive, it goes on; pack it anew as one archive',
    );
  });

  it('is missed where a header should be and is none', async () => {
    expect(await bench.refusal(Buffer.concat([tarMember(a), Buffer.alloc(512, 'x'), rawTar([b])]))).toContain(
      'no entry begins at byte 1024, where one should',
    );
  });
});

describe('headers of a tar archive', () => {
  it.each([
    ['before POSIX', { magic: v7Magic }],
    [
      'of GNU tar, with times where POSIX has a prefix',
      { magic: gnuMagic, fields: { 345: octal(1e9, 12), 357: octal(1e9, 12) } },
    ],
    ['with a negative time', { mtime: base256(-86_400n, 12) }],
    ['with nonsense for owner and time', { mtime: 'no number   ', fields: { 108: 'zzzzzzz\0', 116: '-1      ' } }],
    ['with a mode that is no number', { mode: 'rw-r--r-' }],
    ['with a size in base 256', { size: base256(BigInt(a.body.length), 12) }],
    ['with a size between blanks', { size: `${' '.repeat(8)}14 \0` }],
    ['with a contiguous file', { type: '7' }],
    ['with a type from before there were types', { type: '\0', magic: v7Magic }],
  ])('%s are read', async (_what, header) => {
    expect(await bench.unpack(rawTar([{ ...a, ...header }, b]))).toEqual(both);
  });

  it('may sum up signed bytes', async () => {
    expect(await bench.unpack(rawTar([{ name: '\xe4\xf6', body: 'x', sum: 'signed' }]))).toEqual({ '\xe4\xf6': 'x' });
  });

  it('join prefix and name, that of star with times behind it, and that of old Go in place of times', async () => {
    const star = { ...b, prefix: 'star', fields: { 476: octal(1, 12), 488: octal(1, 12), 508: 'tar\0' } };
    const go = { name: 'c', body: 'c', magic: gnuMagic, prefix: 'of/old/go' };
    expect(await bench.unpack(rawTar([{ ...a, prefix: 'posix/deep' }, star, go]))).toEqual({
      'posix/': '',
      'posix/deep/': '',
      'posix/deep/a': a.body,
      'star/': '',
      'star/b': b.body,
      'of/': '',
      'of/old/': '',
      'of/old/go/': '',
      'of/old/go/c': 'c',
    });
  });

  it('without a size that can be are an error that names the entry', async () => {
    for (const size of [base256(-1n, 12), 'no number   ', base256(1n << 80n, 12)])
      expect(await bench.refusal(rawTar([{ ...a, size }]))).toBe(
        'PermanentError: archive entry "a" has no readable size; fetch or make it anew',
      );
  });

  it('of folders, links and devices have no content, whatever they say', async () => {
    const sized = ['1', '2', '3', '4', '5', '6'].map((type) => ({ name: `t${type}`, type, size: 5000 }));
    expect(await bench.unpack(rawTar([...sized, a]))).toEqual({ a: a.body, 't5/': '' });
  });

  it('of a folder may be those of a file whose name ends in a slash, unless it has content', async () => {
    expect(await bench.unpack(rawTar([{ name: 'd/' }, { name: 'e/', type: '\0', magic: v7Magic }, a]))).toEqual({
      a: a.body,
      'd/': '',
      'e/': '',
    });
    expect(await bench.refusal(rawTar([{ name: 'd/', body: 'x' }]))).toContain(
      'archive entry "d/" is a folder and has content',
    );
  });
});

describe('types of tar entries', () => {
  it.each([
    ['Z', '"Z"'],
    ['9', '"9"'],
    ['N', '"N"'],
    ['\xff', '"ÿ"'],
  ])('that nobody knows (%j) are an error that names entry and type', async (type, shown) => {
    expect(await bench.refusal(rawTar([a, { name: 'dir/odd', type, body: 'x' }]))).toBe(
      `PermanentError: archive entry "dir/odd" is of type ${shown}, which is not known; pack it anew with files and folders alone`,
    );
  });

  it('that say how an archive goes on elsewhere are refused', async () => {
    expect(await bench.refusal(rawTar([{ ...a, type: 'M' }]))).toContain('"a" goes on from another volume');
  });

  it('of GNU for volumes and incremental backups are known', async () => {
    const label = { name: 'a label', type: 'V', magic: gnuMagic };
    const dump = { name: 'd/', type: 'D', body: 'Ya\0\0', magic: gnuMagic };
    expect(await bench.unpack(rawTar([label, dump, a]))).toEqual({ a: a.body, 'd/': '' });
  });
});

describe('names in a tar archive', () => {
  it('are bytes: three in Latin-1 are three files, and UTF-8 stays what it is', async () => {
    const names = ['\xe4', '\xf6', '\xfc', Buffer.from('ä').toString('latin1')];
    const found = await bench.unpack(rawTar(names.map((name, n) => ({ name, body: String(n) }))));
    expect(found).toEqual(Object.fromEntries(names.map((name, n) => [name, String(n)])));
  });

  it('are shown as they are where they are UTF-8, and by bytes where not', async () => {
    expect(await bench.refusal(rawTar([{ name: '../\xe4' }]))).toContain(
      'archive entry "../\\xe4" leaves the source folder',
    );
    const name = Buffer.from('../ä').toString('latin1');
    expect(await bench.refusal(rawTar([{ name }]))).toContain('archive entry "../ä" leaves the source folder');
  });

  const long = `${'long/'.repeat(40)}\xe4`;
  const folders = Object.fromEntries(Array.from({ length: 40 }, (_, n) => ['long/'.repeat(n + 1), '']));

  it('that are long come before, as GNU writes them, or in an extended header, the later of two counting', async () => {
    const gnu = { name: '././@LongLink', type: 'L', body: `${long}\0`, magic: gnuMagic };
    const link = { name: '././@LongLink', type: 'K', body: `${'t'.repeat(200)}\0`, magic: gnuMagic };
    const pax = paxHeader([
      ['path', 'overridden'],
      ['path', long],
    ]);
    for (const before of [[gnu], [link, gnu], [pax], [paxHeader([['path', 'not this']]), pax]])
      expect(await bench.unpack(rawTar([...before, { ...a, name: 'short' }, b]))).toEqual({
        ...folders,
        [long]: a.body,
        b: b.body,
      });
  });

  it('of extended headers hold for one entry, those of a global one for all until an empty value takes them back', async () => {
    const own = paxHeader([
      ['path', 'p'],
      ['size', '3'],
      ['comment', 'x'],
    ]);
    const global = paxHeader(
      [
        ['comment', '0'.repeat(40)],
        ['linkpath', 'x'],
      ],
      'g',
    );
    expect(await bench.unpack(rawTar([global, own, { ...a, size: 0, body: 'abc' }, b]))).toEqual({
      p: 'abc',
      b: b.body,
    });
    const everywhere = paxHeader([['path', 'g']], 'g');
    expect(await bench.unpack(rawTar([everywhere, a, paxHeader([['path', '']]), b]))).toEqual({ g: a.body, b: b.body });
  });

  it('in an extended header that is none, or too long, are an error', async () => {
    for (const body of ['garbage', '4 a\n', '99 path=x\n', '12 path=abc', '3 =\n'])
      expect(await bench.refusal(rawTar([{ name: 'x', type: 'x', body }, a]))).toMatch(
        /the extended header before byte \d+ is none; fetch or make it anew$/,
      );
    expect(await bench.refusal(rawTar([{ name: 'x', type: 'L', size: 1 << 30 }]))).toContain('has no size that can be');
    expect(
      await bench.refusal(rawTar([{ name: 'x', type: 'x', body: '9999', size: 9999 }], Buffer.alloc(0))),
    ).toContain('it ends in the middle of a long name or extended header');
  });

  it('that no disk takes are an error of the archive', async () => {
    const pax = paxHeader([['path', 'n'.repeat(300)]]);
    expect(await bench.refusal(rawTar([pax, a]))).toMatch(
      /^PermanentError: archive entry "n+" has a name that is too long for the disk/,
    );
    expect(await bench.refusal(rawTar([{ name: '', body: 'x' }]))).toContain(
      'archive entry "" is a file without a name',
    );
  });
});

describe('what comes twice in a tar archive', () => {
  it('counts as it comes last, whatever it was before', async () => {
    const link = { name: 'a', type: '2', linkName: '/etc/passwd' };
    const folder = { name: 'a', type: '5' };
    expect(await bench.unpack(rawTar([a, { ...a, body: 'later' }]))).toEqual({ a: 'later' });
    expect(await bench.unpack(rawTar([a, { name: './a', body: 'later' }]))).toEqual({ a: 'later' });
    expect(await bench.unpack(rawTar([link, a]))).toEqual({ a: a.body });
    expect(await bench.unpack(rawTar([folder, a]))).toEqual({ a: a.body });
    expect(await bench.unpack(rawTar([a, folder, { name: 'a/x', body: 'x' }]))).toEqual({ 'a/': '', 'a/x': 'x' });
    expect(await bench.unpack(rawTar([{ ...folder, mode: 0o500 }, { name: 'a/x', body: 'x' }, folder]))).toEqual({
      'a/': '',
      'a/x': 'x',
    });
    expect(await bench.unpack(rawTar([a, link]))).toEqual({});
  });

  it('may be a link to itself, which GNU tar writes for a file that it was given twice', async () => {
    expect(await bench.unpack(rawTar([a, { name: './a', type: '1', linkName: 'a' }]))).toEqual({ a: a.body });
  });

  it('may be a link out of the folder, which is left out as every link', async () => {
    expect(await bench.unpack(rawTar([{ name: 'l', type: '1', linkName: '../../etc/passwd' }, b]))).toEqual({
      b: b.body,
    });
  });

  it('as a file and as a folder with something in it is an error', async () => {
    expect(await bench.refusal(rawTar([a, { name: 'a/x', body: 'x' }]))).toContain(
      'archive entry "a" is a file and a folder in one',
    );
    expect(await bench.refusal(rawTar([{ name: 'a/x', body: 'x' }, a]))).toContain(
      'archive entry "a" is a file in the place of a folder that is not empty',
    );
  });

  it('because leading components are dropped is an error unless it had one name before', async () => {
    const two = rawTar([
      { name: 'x/a', body: '1' },
      { name: 'y/a', body: '2' },
    ]);
    expect(await bench.unpack(two)).toEqual({ 'x/': '', 'x/a': '1', 'y/': '', 'y/a': '2' });
    expect(await bench.refusal(two, { strip: 1 })).toBe(
      'PermanentError: archive entry "y/a" would be the same file as "x/a", "a", when 1 leading components are dropped; pack it anew',
    );
    expect(
      await bench.unpack(
        rawTar([
          { name: 'x/a', body: '1' },
          { name: 'x//a', body: '2' },
        ]),
        { strip: 1 },
      ),
    ).toEqual({ a: '2' });
  });
});

describe('a header', () => {
  it('whose sum is wrong is none', async () => {
    const block = tarHeader(a);
    block[0] = (block[0] ?? 0) + 1;
    expect(await bench.refusal(Buffer.concat([tarMember(b), block]))).toContain('no entry begins at byte 1024');
  });
});
