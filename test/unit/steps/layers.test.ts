/** Layers of a source image, one above the other as a container would see them, but for links. */
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { pushImage, stepWorld } from '../../support/step-world.ts';
import { rawTar, type TarMember } from '../../support/tar.ts';
import { type Listing, listing } from '../../support/unpacked.ts';

const file = (name: string, body = name): TarMember => ({ name, body });
const folder = (name: string): TarMember => ({ name, type: '5' });

/** What the workspace holds after `prepare`, with what it said of what is left out. */
const pulled = async (
  layers: readonly Uint8Array[],
): Promise<{ readonly found: Listing; readonly warnings: readonly string[] }> => {
  await using world = await stepWorld();
  await world.prepare({ REGISTRY_IMAGE: await pushImage(`${world.registry.host}/src:1`, layers) });
  return { found: listing(world.paths.workspace), warnings: world.log.filter((line) => line.startsWith('warning')) };
};

const refused = async (layers: readonly Uint8Array[]): Promise<string> => {
  await using world = await stepWorld();
  const image = await pushImage(`${world.registry.host}/src:1`, layers);
  const message = await world.prepare({ REGISTRY_IMAGE: image }).then(
    () => 'pulled',
    (error: Error) => error.message,
  );
  expect(listing(world.paths.workspace)).toEqual({});
  return message;
};

describe('the layers of a source image', () => {
  it('are read whatever they are compressed by, told by their bytes alone', async () => {
    const layers = [
      rawTar([file('plain')]),
      gzipSync(rawTar([file('gzip')])),
      zstdCompressSync(rawTar([file('zstd')])),
      Buffer.alloc(0),
    ];
    expect((await pulled(layers)).found).toEqual({ plain: 'plain', gzip: 'gzip', zstd: 'zstd' });
  });

  it.each([
    ['xz', Buffer.from('fd377a585a000000', 'hex')],
    ['bzip2', Buffer.from('425a68393141592653', 'hex')],
    ['zip', Buffer.from('PK\u0003\u0004 and so on')],
    ['no archive', Buffer.from('{"encrypted":true}')],
  ])('that are %s are refused by name, and nothing of others is left', async (name, bytes) => {
    expect(await refused([rawTar([file('a')]), bytes])).toMatch(
      new RegExp(`^layer sha256:[0-9a-f]{64} is ${name}: layers are tar, plain or compressed by gzip or zstd$`),
    );
  });

  it('hide what lower ones have, in whatever order their entries come', async () => {
    const lower = rawTar([
      file('gone'),
      file('kept'),
      folder('dir/'),
      file('dir/old'),
      folder('opaque'),
      file('opaque/old'),
      file('other/old'),
    ]);
    const marks = [
      file('.wh.gone', ''),
      file('dir/.wh.old', ''),
      file('opaque/.wh..wh..opq', ''),
      file('.wh.other', ''),
      file('.wh.never', ''),
    ];
    const news = [file('opaque/new'), file('dir/new'), file('other/new')];
    const found = {
      kept: 'kept',
      'dir/': '',
      'dir/new': 'dir/new',
      'opaque/': '',
      'opaque/new': 'opaque/new',
      'other/': '',
      'other/new': 'other/new',
    };
    expect((await pulled([lower, rawTar([...marks, ...news])])).found).toEqual(found);
    expect((await pulled([lower, rawTar([...news, ...marks])])).found).toEqual(found);
  });

  it('do not hide what they have themselves, and the lowest hides nothing', async () => {
    expect((await pulled([rawTar([file('a'), file('.wh.a', '')])])).found).toEqual({ a: 'a' });
    expect((await pulled([rawTar([file('a', 'old')]), rawTar([file('a', 'new'), file('.wh.a', '')])])).found).toEqual({
      a: 'new',
    });
  });

  it('put files in the place of folders, and folders in the place of files', async () => {
    const lower = rawTar([
      file('was-folder/deep/file'),
      file('was-file'),
      file('also-file'),
      folder('both'),
      file('both/a'),
    ]);
    const upper = rawTar([file('was-folder'), file('was-file/x'), folder('also-file'), folder('both'), file('both/b')]);
    expect((await pulled([lower, upper])).found).toEqual({
      'was-folder': 'was-folder',
      'was-file/': '',
      'was-file/x': 'was-file/x',
      'also-file/': '',
      'both/': '',
      'both/a': 'both/a',
      'both/b': 'both/b',
    });
  });

  it('leave links out and say so, also where one takes the place of a file', async () => {
    const upper = rawTar([
      { name: 'a', type: '2', linkName: 'b' },
      { name: 'hard', type: '1', linkName: 'b' },
    ]);
    expect(await pulled([rawTar([file('a'), file('b')]), upper])).toEqual({
      found: { b: 'b' },
      warnings: ['warning: 2 links or special files in the archive were left out'],
    });
  });

  it.each(['.wh.', 'dir/.wh..', '.wh...', 'dir/.wh...'])('cannot hide folders by the mark %j', async (name) => {
    expect(await refused([rawTar([file('dir/a')]), rawTar([file(name, '')])])).toContain(
      'marks nothing that could be in its folder as removed',
    );
  });

  it('that are not what their digest says are not unpacked', async () => {
    await using world = await stepWorld();
    const image = await pushImage(`${world.registry.host}/src:1`, [rawTar([file('a')])]);
    world.registry.addFault({ kind: 'corrupt', method: 'GET', path: /blobs\/sha256/, skip: 1 });
    await expect(world.prepare({ REGISTRY_IMAGE: image })).rejects.toMatchObject({ code: 'invalid-content' });
    expect(listing(world.paths.workspace)).toEqual({});
  });
});
