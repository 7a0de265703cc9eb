/** A source of 100,000 files, which is more than most have and less than is refused. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packTar } from 'modern-tar';
import { describe, expect, it } from 'vitest';
import { unpackArchive } from '../../../lib/steps/archive/unpack.ts';

const folders = 500;
const filesEach = 200;

/** A tar of empty files: one header, copied with another name and sum each time, which is quicker than packing. */
const tarOf = async (names: readonly string[]): Promise<Buffer> => {
  const header = { name: 'x', size: 0, mode: 0o644, mtime: new Date(0), type: 'file' } as const;
  const template = Buffer.from(await packTar([{ header, body: '' }])).subarray(0, 512);
  const tar = Buffer.alloc((names.length + 2) * 512);
  for (const [index, name] of names.entries()) {
    const at = index * 512;
    template.copy(tar, at);
    tar.fill(0, at, at + 100).write(name, at, 'latin1');
    tar.fill(' ', at + 148, at + 156);
    const sum = tar.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
    tar.write(`${sum.toString(8).padStart(6, '0')}\0`, at + 148, 'latin1');
  }
  return tar;
};

describe('a source of 100,000 files', () => {
  it('is unpacked whole, and refused where fewer are allowed', { timeout: 120_000 }, async () => {
    const folder = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'kpackless-many-'));
    try {
      const file = join(folder, 'many.tar');
      const names = Array.from({ length: folders * filesEach }, (_, n) => `d${n % folders}/f${n}`);
      await writeFile(file, await tarOf(names));
      const into = join(folder, 'out');
      await mkdir(into);
      await unpackArchive(file, 'tar', { into });
      expect(await readdir(into)).toHaveLength(folders);
      for (const name of ['d0', `d${folders - 1}`]) expect(await readdir(join(into, name))).toHaveLength(filesEach);
      expect((await stat(join(into, names.at(-1) ?? ''))).size).toBe(0);
      const limits = { maxEntries: 1000, maxBytes: 1, maxRatio: 1 };
      await expect(unpackArchive(file, 'tar', { into: join(folder, 'less'), limits })).rejects.toThrow(
        'the source archive unpacks to more than 1000 entries; it is refused',
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
