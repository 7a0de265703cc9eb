/** Archives as the programs that people have write them: what comes out is the tree that went in, whatever the format. */
import { execFile } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whichProgram } from '../../../infra/local/cluster/packages.ts';
import { type ArchiveKind, archiveKind } from '../../../lib/steps/archive/unpack.ts';
import { archivesAsGo, asGoWrites } from '../../support/archive-oracle.ts';
import { reportMissing } from '../../support/oracle-process.ts';
import { archiveBench, type Bench, hashedContent, type Listing, listing } from '../../support/unpacked.ts';

const run = promisify(execFile);
const programs = ['tar', 'bsdtar', 'zip', 'unzip', 'python3', 'xz', 'bzip2', 'zstd'] as const;
const missing = programs.filter((name) => whichProgram(name) === undefined);
if (missing.length > 0) console.log(`archives of ${missing.join(', ')} are not tried: not installed`);
const lacks = (...names: readonly (typeof programs)[number][]): boolean => names.some((name) => missing.includes(name));

let bench: Bench;
/** Names of at most 100 characters, no holes. */
let plain: string;
/** Long names, holes, times before 1970, large owners. */
let full: string;
const made = (name: string): string => join(bench.root, name);
const sh = (cwd: string, script: string, env: Readonly<Record<string, string>> = {}): Promise<unknown> =>
  run('sh', ['-ec', script], { cwd, env: { ...process.env, LC_ALL: 'C.UTF-8', ...env }, maxBuffer: 16 << 20 });

/** So many fragments that no header holds them. */
const writeSparse = (file: string, fragments: number): void => {
  const handle = openSync(file, 'w');
  for (let n = 0; n < fragments; n += 1)
    writeSync(handle, Buffer.from(`fragment ${n}`.padEnd(4096)), 0, 4096, (2 * n + 1) * 65_536);
  ftruncateSync(handle, 2 * fragments * 65_536 + 777);
  closeSync(handle);
};

beforeAll(async () => {
  bench = await archiveBench();
  plain = made('plain');
  full = made('full');
  for (const root of [plain, full]) {
    mkdirSync(join(root, 'dir/deep'), { recursive: true });
    mkdirSync(join(root, 'empty folder'));
    writeFileSync(join(root, 'empty'), '');
    writeFileSync(join(root, 'dir/deep/run'), '#!/bin/sh\n', { mode: 0o755 });
    writeFileSync(join(root, 'dir/large'), Buffer.alloc(300_000, 'of some size '));
    for (const name of ['ä', 'ö', '名前']) writeFileSync(join(root, name), name);
    utimesSync(join(root, 'empty'), -86_400 * 3650, -86_400 * 3650);
  }
  const long = join(full, 'l'.repeat(120), 'o'.repeat(120), 'n'.repeat(120));
  mkdirSync(long, { recursive: true });
  writeFileSync(join(long, 'g'.repeat(200)), 'deep down');
  for (const byte of ['\xe4', '\xf6', '\xfc']) {
    const name = Buffer.from(`${Buffer.from(full).toString('latin1')}/latin-${byte}`, 'latin1');
    writeFileSync(name, byte);
  }
  writeSparse(join(full, 'few holes'), 3);
  writeSparse(join(full, 'many holes'), 60);
  const hole = openSync(join(full, 'all hole'), 'w');
  ftruncateSync(hole, 1_000_000);
  closeSync(hole);
});
afterAll(() => bench[Symbol.asyncDispose]());

const unpacked = async (file: string): Promise<Listing> => {
  await bench.unpackFile(file);
  return listing(bench.into, hashedContent);
};
const packed = (root: string): Listing => listing(root, hashedContent);

describe.skipIf(lacks('tar'))('GNU tar', () => {
  it.each(['v7', 'oldgnu', 'gnu', 'ustar', 'posix'])('in format %s', async (format) => {
    await sh(plain, `tar --create --format=${format} --file=${made('a.tar')} --owner=0 --group=0 .`);
    expect(await unpacked(made('a.tar'))).toEqual(packed(plain));
  });

  it.each([
    ['gnu', ''],
    ['oldgnu', ''],
    ['posix', '--sparse-version=0.0'],
    ['posix', '--sparse-version=0.1'],
    ['posix', '--sparse-version=1.0'],
  ])('with holes in format %s %s', async (format, version) => {
    for (const compress of ['', '--gzip']) {
      await sh(
        full,
        `tar --create --sparse --hole-detection=seek --format=${format} ${version} ${compress} --owner=:1000650000 --file=${made('s.tar')} .`,
      );
      expect(await unpacked(made('s.tar'))).toEqual(packed(full));
      const { blocks, size } = statSync(join(bench.into, 'many holes'));
      expect(blocks * 512).toBeLessThan(size / 2);
    }
  });

  it('with one record a block, with one of a mebibyte, with a label, and as an incremental backup', async () => {
    for (const option of [
      '--blocking-factor=1',
      '--blocking-factor=2048',
      '--label=backup',
      `--listed-incremental=${made('snapshot')}`,
    ]) {
      await sh(plain, `rm -f ${made('snapshot')}; tar --create --format=gnu ${option} --file=${made('a.tar')} .`);
      expect(await unpacked(made('a.tar'))).toEqual(packed(plain));
    }
  });

  it('with the same file appended later, or named twice', async () => {
    const root = made('twice');
    mkdirSync(root);
    const script = `printf old > a; tar -cf ${made('t.tar')} a ./a; printf new > a; tar -rf ${made('t.tar')} a`;
    await sh(root, script);
    expect(await unpacked(made('t.tar'))).toEqual({ a: hashedContent(Buffer.from('new')) });
  });

  it('with links: files stay, links are left out', async () => {
    const root = made('links');
    mkdirSync(root);
    writeSparse(join(root, 'a'), 2);
    const expected = packed(root);
    linkSync(join(root, 'a'), join(root, 'hard'));
    symlinkSync('a', join(root, 'soft'));
    await sh(root, `tar --create --sparse --sort=name --file=${made('l.tar')} a hard soft`);
    expect(await unpacked(made('l.tar'))).toEqual(expected);
  });
});

describe.skipIf(lacks('bsdtar'))('bsdtar', () => {
  it.each(['v7tar', 'ustar', 'gnutar', 'pax', 'zip'])('in format %s', async (format) => {
    const options = format === 'zip' ? '--options zip:hdrcharset=UTF-8' : '';
    await sh(plain, `bsdtar --create --format ${format} ${options} --file ${made('b')} .`);
    expect(await unpacked(made('b'))).toEqual(packed(plain));
  });

  it('finds holes by itself, as that of macOS does, and writes large owners and long names', async () => {
    await sh(full, `bsdtar --create --format pax --gid 1000650000 --file ${made('b.tar')} .`);
    expect(await unpacked(made('b.tar'))).toEqual(packed(full));
  });

  it.each([
    ['cpio', 'must be one of .zip, .tar.gz, .tar, .jar'],
    ['7zip', 'this is 7z'],
    ['xar', 'must be one of'],
  ])('in format %s is refused', async (format, message) => {
    await sh(plain, `bsdtar --create --format ${format} --file ${made('no')} .`);
    await expect(archiveKind(made('no'))).rejects.toThrow(message);
  });

  it('as the image of a disk is no archive of nothing, though it begins like one', async () => {
    await sh(plain, `bsdtar --create --format iso9660 --file ${made('disk.iso')} .`);
    await expect(unpacked(made('disk.iso'))).rejects.toThrow(
      'it begins with zeros, and what follows is no tar archive',
    );
  });
});

describe.skipIf(lacks('zip'))('Info-ZIP', () => {
  it.each([
    ['as it comes', 'zip -qr $to .'],
    ['stored', 'zip -qr0 $to .'],
    ['in zip64', 'zip -qr -fz $to .'],
    ['without entries of folders', 'zip -qrD $to . && zip -qr $to "empty folder"'],
    ['with a comment', 'echo the comment | zip -qrz $to .'],
    ['through a pipe, with sizes behind the contents', 'zip -qr - . | cat > $to'],
    [
      'with a file from a pipe',
      'rm -rf ../p; cp -r . ../p; cd ../p; rm dir/large; zip -qr $to .; cd dir; cat ../../plain/dir/large | zip -q $to.2 -; cd ..; zip -qr $to .; cp ../plain/dir/large dir; zip -qr $to .',
    ],
    ['behind a program', 'printf "#!/bin/sh\\nexec true\\n" > $to.sh; zip -qr $to.zip .; cat $to.sh $to.zip > $to'],
    [
      'behind a program it knows of',
      'printf "#!/bin/sh\\nexec true\\n" > $to.sh; zip -qr $to.zip .; cat $to.sh $to.zip > $to; zip -qA $to',
    ],
    ['split and put together', 'zip -qr -s 64k $to.zip .; zip -q -s 0 $to.zip --out $to.one.zip; mv $to.one.zip $to'],
  ])('%s', async (_how, script) => {
    await sh(plain, `rm -f ${made('z')}*; ${script}; test -e $to || mv $to.zip $to`, { to: made('z') });
    expect(await unpacked(made('z'))).toEqual(packed(plain));
  });

  it.each(['C', 'C.UTF-8'])('with names that are no UTF-8, in locale %s', async (locale) => {
    const root = made(`latin-${locale}`);
    mkdirSync(root);
    for (const byte of [0xe4, 0xf6, 0xfc])
      writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([byte])]), String(byte));
    await sh(root, `zip -qr ${made(`latin-${locale}.zip`)} .`, { LC_ALL: locale });
    expect(Object.values(await unpacked(made(`latin-${locale}.zip`))).sort()).toEqual(
      Object.values(packed(root)).sort(),
    );
  });

  it.each([
    ['encrypted', 'zip -qr -P secret', 'is encrypted; make the archive without a password'],
    ['compressed by bzip2', 'zip -qr -Z bzip2', 'uses compression 12 (bzip2), which is not read'],
  ])('%s is refused by name', async (_what, command, message) => {
    await sh(plain, `rm -f ${made('no.zip')}; ${command} ${made('no.zip')} .`);
    await expect(unpacked(made('no.zip'))).rejects.toThrow(message);
    expect(listing(bench.into)).toEqual({});
  });

  it('in parts is refused with what to do', async () => {
    await sh(
      plain,
      `head -c 200000 /dev/urandom > ${made('random')}; zip -qr -s 64k ${made('part.zip')} . ${made('random')}`,
    );
    await expect(unpacked(made('part.zip'))).rejects.toThrow('it is one part of several; put them together first');
  });
});

describe.skipIf(lacks('python3'))('Python', () => {
  const python = (script: string, ...args: readonly string[]) => run('python3', ['-c', script, ...args]);

  it.each(['USTAR_FORMAT', 'GNU_FORMAT', 'PAX_FORMAT'])('tarfile in %s with names in Latin-1', async (format) => {
    const script = `
import io, sys, tarfile
with tarfile.open(sys.argv[1], 'w', format=tarfile.${format}, encoding='latin-1') as t:
    for name in ['ä', 'ö', 'ü', 'd' * 90 + '/' + 'ß' * 99]:
        info = tarfile.TarInfo(name); info.size = len(name); info.mtime = ${format === 'USTAR_FORMAT' ? 0 : -1}
        t.addfile(info, io.BytesIO(name.encode('latin-1')))`;
    await python(script, made('p.tar'));
    // An extended header says UTF-8, whatever the encoding of others.
    const names = ['ä', 'ö', 'ü', `${'d'.repeat(90)}/${'ß'.repeat(99)}`];
    const written = (name: string): string =>
      Buffer.from(name, format === 'PAX_FORMAT' ? 'utf8' : 'latin1').toString('latin1');
    const found = await bench.unpackFile(made('p.tar'));
    expect(found).toEqual({
      [`${'d'.repeat(90)}/`]: '',
      ...Object.fromEntries(names.map((name) => [written(name), Buffer.from(name, 'latin1').toString('latin1')])),
    });
  });

  it('zipfile with names in UTF-8, the same name twice refused', async () => {
    const script = `
import sys, zipfile, warnings
warnings.simplefilter('ignore')
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as z:
    for name, content in [('ä', '1'), ('ö', '2'), ('ü', '3'), ('d/', '')] + [('ä', 'other')] * (len(sys.argv) - 2): z.writestr(name, content)`;
    await python(script, made('p.zip'));
    const utf8 = (text: string): string => Buffer.from(text).toString('latin1');
    expect(await bench.unpackFile(made('p.zip'))).toEqual({
      [utf8('ä')]: '1',
      [utf8('ö')]: '2',
      [utf8('ü')]: '3',
      'd/': '',
    });
    await python(script, made('p.zip'), 'twice');
    await expect(bench.unpackFile(made('p.zip'))).rejects.toThrow(
      'archive entry "ä" is there twice with different content',
    );
  });

  it('zipfile with LZMA is refused by name', async () => {
    await python(
      `import sys, zipfile\nzipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_LZMA).writestr('a', 'x' * 99)`,
      made('p.zip'),
    );
    await expect(bench.unpackFile(made('p.zip'))).rejects.toThrow(
      'archive entry "a" uses compression 14 (LZMA), which is not read',
    );
  });
});

describe.skipIf(lacks('xz', 'bzip2', 'zstd', 'tar'))('compressors', () => {
  it.each([
    ['gzip -1', 'tar.gz'],
    ['zstd -q', 'tar.zst'],
    ['zstd -q --ultra -22 --long=27', 'tar.zst'],
  ] as const)('%s, also in several members', async (compressor, kind: ArchiveKind) => {
    await sh(
      plain,
      `tar -cf ${made('c.tar')} .; head -c 20000 ${made('c.tar')} | ${compressor} > ${made('c')}; tail -c +20001 ${made('c.tar')} | ${compressor} >> ${made('c')}`,
    );
    expect(await archiveKind(made('c'))).toBe(kind);
    expect(await unpacked(made('c'))).toEqual(packed(plain));
  });

  it.each(['xz', 'bzip2'])('%s are refused by name', async (compressor) => {
    await sh(plain, `tar -cf - . | ${compressor} > ${made('c')}`);
    await expect(archiveKind(made('c'))).rejects.toThrow(
      `must be one of .zip, .tar.gz, .tar, .jar; this is ${compressor}`,
    );
  });
});

const go = await archivesAsGo().catch((error: unknown) => void reportMissing('Go', error));

describe.skipIf(go === undefined || lacks('tar', 'bsdtar', 'zip'))('Go', () => {
  it('reads the same in what these programs write', async () => {
    const to = (name: string): string => made(`go-${name}`);
    await sh(
      full,
      `for f in gnu oldgnu posix; do tar -cSf ${to('$f.tar')} --format=$f .; done; bsdtar -cf ${to('bsd.tar')} --format pax .`,
    );
    await sh(
      plain,
      `for f in v7 ustar; do tar -cf ${to('$f.tar')} --format=$f .; done; zip -qr ${to('info.zip')} .; bsdtar -cf ${to('bsd.zip')} --format zip .`,
    );
    const files = ['gnu.tar', 'oldgnu.tar', 'posix.tar', 'bsd.tar', 'v7.tar', 'ustar.tar', 'info.zip', 'bsd.zip'].map(
      to,
    );
    const theirs = (await go?.(files)) ?? [];
    for (const [index, file] of files.entries()) {
      expect(theirs[index]?.error).toBe('');
      expect(await unpacked(file)).toEqual(asGoWrites(theirs[index] ?? { entries: [], error: '' }));
    }
  });
});
