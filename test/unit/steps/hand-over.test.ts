import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packTar } from 'modern-tar';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { handOver } from '../../../lib/steps/prepare/hand-over.ts';
import { pushImage, type StepWorld, stepWorld } from '../../support/step-world.ts';

let volume = '';
const at = (path: string): string => join(volume, path);
const write = async (path: string, text: string): Promise<void> => {
  await mkdir(join(at(path), '..'), { recursive: true });
  await writeFile(at(path), text);
};
beforeEach(async () => {
  volume = await mkdtemp(join(tmpdir(), 'kpackless-hand-over-'));
});
afterEach(async () => await rm(volume, { recursive: true, force: true }));

describe('a source that is handed over', () => {
  it('is moved as it is, links and folders without files too, and nothing of it stays', async () => {
    await write('source/a/b', 'b');
    await write('source/.git/HEAD', 'ref');
    await mkdir(at('source/empty'));
    await symlink('a/b', at('source/link'));
    await handOver(at('source'), at('app'));
    expect((await readdir(at('app'), { recursive: true })).sort()).toEqual([
      '.git',
      '.git/HEAD',
      'a',
      'a/b',
      'empty',
      'link',
    ]);
    expect(await readFile(at('app/link'), 'utf8')).toBe('b');
    expect(await readdir(volume)).toEqual(['app']);
  });

  it('may have names that are no UTF-8', async () => {
    await mkdir(at('source'));
    const name = (folder: string): Buffer => Buffer.concat([Buffer.from(at(`${folder}/`)), Buffer.from([0xe4])]);
    await writeFile(name('source'), 'ä in Latin-1');
    await handOver(at('source'), at('app'));
    expect(await readFile(name('app'), 'utf8')).toBe('ä in Latin-1');
  });

  it('goes into the folders that are mounted already, which stay the same', async () => {
    await write('source/some/path/file', 'x');
    await write('source/some/other', 'y');
    await mkdir(at('app/some/path'), { recursive: true });
    const { ino } = await stat(at('app/some/path'));
    await handOver(at('source'), at('app'));
    expect((await stat(at('app/some/path'))).ino).toBe(ino);
    expect(await readFile(at('app/some/path/file'), 'utf8')).toBe('x');
    expect(await readFile(at('app/some/other'), 'utf8')).toBe('y');
  });

  it('follows no link that was laid in its way, and takes what was written before for nothing of its own', async () => {
    await write('source/folder/file', 'ours');
    await write('elsewhere/file', 'precious');
    await mkdir(at('app'));
    await symlink(at('elsewhere'), at('app/folder'));
    await expect(handOver(at('source'), at('app'))).rejects.toThrow('something was there before the source');
    expect(await readFile(at('elsewhere/file'), 'utf8')).toBe('precious');
    await rm(at('app/folder'));
    await symlink(at('elsewhere/file'), at('app/folder'));
    await expect(handOver(at('source'), at('app'))).rejects.toThrow('(ENOTDIR)');
    expect(await readFile(at('elsewhere/file'), 'utf8')).toBe('precious');
  });

  it('replaces files and links that were written before it', async () => {
    await write('source/file', 'ours');
    await write('app/precious', 'precious');
    await symlink('precious', at('app/file'));
    await handOver(at('source'), at('app'));
    expect(await readFile(at('app/file'), 'utf8')).toBe('ours');
    expect(await readFile(at('app/precious'), 'utf8')).toBe('precious');
  });
});

describe('prepare beside other steps', () => {
  const prepared = async (world: StepWorld, env: Readonly<Record<string, string>> = {}): Promise<void> => {
    const body = 'x';
    const files = ['app.js', 'part/file'].map((name) => ({
      header: { name, size: body.length, mode: 0o644, mtime: new Date(0) },
      body,
    }));
    const image = await pushImage(`${world.registry.host}/src:1`, [await packTar(files)]);
    await world.prepare({ REGISTRY_IMAGE: image, HAND_OVER_TO: join(world.paths.workspace, 'app'), ...env });
  };

  it('leaves the source where they see it, and nothing beside', async () => {
    await using world = await stepWorld();
    await prepared(world);
    expect(await world.files()).toEqual(['app/app.js', 'app/part/file']);
  });

  it('shows nothing of a source that it refuses', async () => {
    await using world = await stepWorld();
    await mkdir(join(world.paths.workspace, 'app/part'), { recursive: true });
    await expect(prepared(world, { SOURCE_SUB_PATH: 'missing' })).rejects.toThrow('the source has no folder "missing"');
    expect(await readdir(join(world.paths.workspace, 'app'), { recursive: true })).toEqual(['part']);
  });
});
