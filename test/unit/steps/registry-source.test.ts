import { gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import { describe, expect, it } from 'vitest';
import { parseSourceMessage } from '../../../lib/builds/source-message.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import { pushImage, stepWorld } from '../../support/step-world.ts';
import { zipOf } from '../../support/zip.ts';

const file = (name: string, body: string | Uint8Array) => ({
  header: { name, size: Buffer.byteLength(body), mode: 0o644, mtime: new Date(0) },
  body,
});
const label = 'source.contenttype.kpack.io';
const inner = await packTar([file('testdir/testfile', 'x')]);

describe('a registry source', () => {
  it.each([
    ['zip', new Uint8Array(zipOf([{ name: 'testdir/testfile', content: 'x' }]))],
    ['jar', new Uint8Array(zipOf([{ name: 'testdir/testfile', content: 'x' }]))],
    ['tar', inner],
    ['tar.gz', new Uint8Array(gzipSync(inner))],
  ])('03#141 unpacks the archive inside the one layer of an image labelled %s', async (kind, archive) => {
    await using world = await stepWorld();
    const image = await pushImage(`${world.registry.host}/src:1`, [await packTar([file('blob', archive)])], {
      [label]: kind,
    });
    await world.prepare({ REGISTRY_IMAGE: image });
    expect(await world.read('testdir/testfile')).toBe('x');
  });

  it('03#142 puts the files of all layers into the workspace, in order, compressed or not', async () => {
    await using world = await stepWorld();
    const layers = [
      await packTar([file('/a', 'one'), file('dir/b', 'b')]),
      new Uint8Array(gzipSync(await packTar([file('a', 'two')]))),
    ];
    await world.prepare({ REGISTRY_IMAGE: await pushImage(`${world.registry.host}/src:1`, layers) });
    expect(await world.files()).toStrictEqual(['a', 'dir/b']);
    expect(await world.read('a')).toBe('two');
  });

  it('03#143 records the repository without tag, and the digest', async () => {
    await using world = await stepWorld();
    const pinned = await pushImage(`${world.registry.host}/src:1`, [await packTar([file('a', 'x')])]);
    await world.prepare({ REGISTRY_IMAGE: `${world.registry.host}/src:1` });
    expect(await world.metadata()).toBe(`[source]
  type = "image"
  [source.metadata]
    image = "${world.registry.host}/src"
  [source.version]
    digest = "${pinned.slice(pinned.indexOf('@') + 1)}"
`);
    const id = pinned.slice(pinned.indexOf('@sha256:') + '@sha256:'.length);
    expect(parseSourceMessage(await world.terminationMessage())).toEqual({ type: 'image', id });
  });

  it.each([
    ['two layers', [[file('a', '')], [file('b', '')]], 'expected image to have exactly one layer'],
    ['two files', [[file('a', ''), file('b', '')]], 'expected layer to have exactly one file'],
    ['a tar for a zip', [[file('a', inner)]], "expected file 'a' to be a zip archive"],
  ])('says what is wrong with %s', async (_what, layers, message) => {
    await using world = await stepWorld();
    const tars = await Promise.all(layers.map((entries) => packTar(entries)));
    const image = await pushImage(`${world.registry.host}/src:1`, tars, { [label]: 'zip' });
    await expect(world.prepare({ REGISTRY_IMAGE: image })).rejects.toThrow(message);
  });

  it('pulls with the pull secret that is mounted for the source', async () => {
    await using world = await stepWorld();
    const closed = await startFakeRegistry({ auth: { kind: 'basic', users: { ada: 'pw' } } });
    try {
      const auths = { [closed.host]: { username: 'ada', password: 'pw' } };
      await world.secret('../registry-secrets', { '.dockerconfigjson': JSON.stringify({ auths }) });
      const source = `${closed.host}/src:1`;
      await expect(world.prepare({ REGISTRY_IMAGE: source })).rejects.toThrow(/not found|unknown/i);
    } finally {
      await closed.close();
    }
  });
});

describe('prepare', () => {
  it('03#116 wants to be allowed to push before it does anything else', async () => {
    await using world = await stepWorld();
    world.registry.addFault({ kind: 'status', method: 'POST', path: /uploads/, status: 403 });
    await expect(world.prepare({ REGISTRY_IMAGE: 'x' })).rejects.toThrow(
      /^Error verifying write access to ".*\/app:1": POST .*403 Forbidden/,
    );
    expect(world.log.join('\n')).not.toContain('Pulling');
  });

  it('03#117 wants to be allowed to read the run image', async () => {
    await using world = await stepWorld();
    world.registry.addFault({ kind: 'status', method: 'GET', path: /run\/manifests/, status: 401 });
    await expect(world.prepare({ REGISTRY_IMAGE: 'x' })).rejects.toThrow(
      /^Error verifying read access to run image ".*\/run:base": UNAUTHORIZED$/,
    );
  });

  it('says that there is no source', async () => {
    await using world = await stepWorld();
    await expect(world.prepare({})).rejects.toThrow('no git url, blob url, or registry image provided');
  });
});
