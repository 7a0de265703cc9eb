import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { packTar, type TarHeader } from 'modern-tar';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { entryPath } from '../../../lib/steps/archive/entry-path.ts';
import { archiveKind, unpackArchive } from '../../../lib/steps/archive/unpack.ts';
import { zipOf } from '../../support/zip.ts';

const run = promisify(execFile);
let folder = '';
let into = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kpackless-archive-'));
  into = join(folder, 'out');
  await mkdir(into);
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

const saved = async (bytes: Uint8Array): Promise<string> => {
  const file = join(folder, 'archive');
  await writeFile(file, bytes);
  return file;
};
const tarOf = (entries: readonly (Partial<TarHeader> & { readonly name: string; readonly body?: string })[]) =>
  packTar(
    entries.map(({ body = '', ...header }) => ({
      header: { type: 'file', mode: 0o644, mtime: new Date(0), ...header, size: Buffer.byteLength(body) },
      body,
    })),
  );
const unpacked = async (bytes: Uint8Array, strip = 0): Promise<{ readonly skipped: number }> => {
  const file = await saved(bytes);
  return await unpackArchive(file, await archiveKind(file), { into, strip });
};
const read = (path: string): Promise<string> => readFile(join(into, path), 'utf8');

describe('an archive', () => {
  it('03#130 is unpacked whether it is tar, tar.gz or zip', async () => {
    const tar = await tarOf([{ name: 'testdir/testfile', body: 'x' }]);
    for (const bytes of [tar, gzipSync(tar), zipOf([{ name: 'testdir/testfile', content: 'x' }])]) {
      await unpacked(bytes);
      expect(await read('testdir/testfile')).toBe('x');
      await rm(join(into, 'testdir'), { recursive: true });
    }
  });

  it('03#131 gives files of a FAT zip all permissions, as far as the umask allows', async () => {
    await unpacked(zipOf([{ name: 'a', content: 'x', maker: 0 }]));
    expect((await stat(join(into, 'a'))).mode & 0o700).toBe(0o700);
  });

  it('03#132 keeps the mode of tar entries, but never set-id bits', async () => {
    await unpacked(await tarOf([{ name: 'run', mode: 0o4755, body: '#!' }]));
    expect((await stat(join(into, 'run'))).mode & 0o7777).toBe(0o755);
  });

  it('03#133 drops leading components for tar, tar.gz and zip', async () => {
    const tar = await tarOf([
      { name: 'parent/', type: 'directory', mode: 0o755 },
      { name: 'parent/child.txt', body: 'x' },
      { name: 'other.txt', body: 'y' },
    ]);
    const zip = zipOf([
      { name: 'parent/', content: '' },
      { name: 'parent/child.txt', content: 'x' },
    ]);
    for (const bytes of [tar, gzipSync(tar), zip]) {
      await unpacked(bytes, 1);
      expect(await read('child.txt')).toBe('x');
      await expect(read('other.txt')).rejects.toThrow('ENOENT');
      await rm(join(into, 'child.txt'));
    }
  });

  it('leaves links, devices and pipes out and says how many', async () => {
    const tar = await tarOf([
      { name: 'etc', type: 'symlink', linkname: '/etc' },
      { name: 'etc/passwd', body: 'evil' },
      { name: 'hard', type: 'link', linkname: '/etc/shadow' },
      { name: 'sda', type: 'block-device' },
      { name: 'pipe', type: 'fifo' },
    ]);
    expect(await unpacked(tar)).toStrictEqual({ skipped: 4 });
    expect(await read('etc/passwd')).toBe('evil');
  });

  it.each(['../evil', 'a/../../evil', 'a/..', '/../evil'])('refuses the entry %j', async (name) => {
    await expect(unpacked(await tarOf([{ name, body: 'x' }]))).rejects.toThrow('leaves the source folder');
    await expect(unpacked(zipOf([{ name, content: 'x' }]))).rejects.toThrow('leaves the source folder');
  });

  it('03#142 puts absolute names below the source folder', async () => {
    await unpacked(await tarOf([{ name: '/abs/file', body: 'x' }]));
    expect(await read('abs/file')).toBe('x');
  });

  it('replaces a file that comes twice, even one that may not be written', async () => {
    await unpacked(
      await tarOf([
        { name: 'a', mode: 0o444, body: 'one' },
        { name: 'a', body: 'two' },
      ]),
    );
    expect(await read('a')).toBe('two');
  });

  it('can fill a directory that the archive makes unwritable', async () => {
    await unpacked(
      await tarOf([
        { name: 'd/', type: 'directory', mode: 0 },
        { name: 'd/a', body: 'x' },
      ]),
    );
    expect(await read('d/a')).toBe('x');
  });

  it('refuses a bomb by its ratio before it fills the disk', async () => {
    const file = await saved(gzipSync(await tarOf([{ name: 'zeros', body: '\0'.repeat(3 << 20) }])));
    const limits = { maxEntries: 10, maxBytes: 1 << 20, maxRatio: 200 };
    await expect(unpackArchive(file, 'tar.gz', { into, limits })).rejects.toThrow('it is refused');
  });

  it('refuses more entries than allowed', async () => {
    const file = await saved(await tarOf([{ name: 'a' }, { name: 'b' }, { name: 'c' }]));
    const limits = { maxEntries: 2, maxBytes: 100, maxRatio: 200 };
    await expect(unpackArchive(file, 'tar', { into, limits })).rejects.toThrow('more than 2 entries');
  });

  it('refuses a truncated archive of each kind', async () => {
    const tar = await tarOf([{ name: 'a', body: 'x'.repeat(3000) }]);
    const zip = zipOf([{ name: 'a', content: 'x'.repeat(3000) }]);
    for (const bytes of [tar.subarray(0, 1500), gzipSync(tar).subarray(0, 60), zip.subarray(0, zip.length - 30)]) {
      await expect(unpacked(bytes)).rejects.toThrow(/cannot be read|not a readable zip/);
    }
  });

  it('refuses a zip whose content is not what it declares', async () => {
    const zip = Buffer.from(zipOf([{ name: 'a', content: 'hello', method: 0 }]));
    zip[31] = (zip[31] ?? 0) ^ 1;
    await expect(unpacked(zip)).rejects.toThrow('size and checksum');
  });

  it.each(['<html></html>', 'plain text', '\u0089PNG\r\n\u001a\n'.padEnd(600, 'x')])(
    '03#135 refuses %j',
    async (text) => {
      await expect(unpacked(Buffer.from(text, 'latin1'))).rejects.toThrow(
        'unexpected blob file type, must be one of .zip, .tar.gz, .tar, .jar',
      );
    },
  );

  it('reads what GNU tar writes, long names included', async () => {
    const tree = join(folder, 'tree');
    const long = `${'d'.repeat(90)}/${'f'.repeat(120)}`;
    await mkdir(join(tree, 'd'.repeat(90)), { recursive: true });
    await writeFile(join(tree, long), 'deep');
    await run('tar', ['-czf', join(folder, 'a.tgz'), '-C', tree, '.']);
    await unpackArchive(join(folder, 'a.tgz'), 'tar.gz', { into });
    expect(await read(long)).toBe('deep');
  });

  it.skipIf(!existsSync('/usr/bin/python3'))(
    "reads Python's zip files (skipped where there is no python3)",
    async () => {
      const zip = join(folder, 'a.zip');
      const write = `z=zipfile.ZipFile('${zip}','w',zipfile.ZIP_DEFLATED); z.writestr('p/q','py'*999); z.close()`;
      await run('python3', ['-c', `import zipfile; ${write}`]);
      await unpackArchive(zip, 'zip', { into });
      expect(await read('p/q')).toBe('py'.repeat(999));
    },
  );
});

describe('the path of an entry', () => {
  it('never leaves the folder, whatever the name', () => {
    const segment = fc.constantFrom('..', '.', '', 'a', 'b', '...', 'c d');
    const confined = fc.property(fc.array(segment, { maxLength: 8 }), fc.nat(3), (segments, strip) => {
      let path: string | undefined;
      try {
        path = entryPath(segments.join('/'), strip);
      } catch {
        return true;
      }
      return path === undefined || (!path.startsWith('/') && !path.split('/').includes('..'));
    });
    expect(fc.check(confined)).toMatchObject({ failed: false });
  });

  it('counts components as kpack does', () => {
    expect([entryPath('./a/b', 2), entryPath('a/', 1), entryPath('a/b', 2), entryPath('a', 0)]).toStrictEqual([
      'b',
      undefined,
      undefined,
      'a',
    ]);
  });
});
