import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { unpackTar } from 'modern-tar';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { imageArchive } from '../../../../../infra/local/images/archive.ts';
import { sampleBuildpackage } from '../../../../../infra/local/images/buildpackage.ts';
import { imageArchitecture, type LocalImage, makeImage } from '../../../../../infra/local/images/image.ts';
import { executable, folder, layerTar, makeLayer } from '../../../../../infra/local/images/layer.ts';
import { lifecycleImage } from '../../../../../infra/local/images/lifecycle.ts';
import { digestOf } from '../../../../../lib/oci/digest.ts';

interface Config {
  readonly config: { readonly Labels: Readonly<Record<string, string>> };
  readonly rootfs: { readonly diff_ids: readonly string[] };
}

const parse = (bytes: Uint8Array): Config => JSON.parse(Buffer.from(bytes).toString('utf8')) as Config;
const label = (image: LocalImage, name: string): unknown =>
  JSON.parse(parse(image.config).config.Labels[name] ?? 'null');
const buildpackage = (version = '1.0.0') => sampleBuildpackage({ name: `bp:${version}`, version });

describe('a layer', () => {
  const entries = [folder('d', { uid: 1000 }), executable('d/run', '#!/bin/sh\n'), { path: 'd/link', link: 'run' }];

  it('is byte for byte the same when it is made twice', async () => {
    expect((await makeLayer(entries)).digest).toBe((await makeLayer(entries)).digest);
  });

  it('keeps modes, owners and links, and carries no time', async () => {
    const [dir, file, link] = await unpackTar(layerTar(await makeLayer(entries)), { strict: true });
    expect(dir?.header).toMatchObject({ name: 'd/', type: 'directory', uid: 1000, mode: 0o755 });
    expect(file?.header).toMatchObject({ name: 'd/run', mode: 0o755, uid: 0, mtime: new Date(0) });
    expect(link?.header).toMatchObject({ name: 'd/link', type: 'symlink', linkname: 'run' });
  });

  it('is named by the digests of its bytes before and after compression', async () => {
    const layer = await makeLayer(entries);
    expect(layer.digest).toBe(digestOf(layer.blob));
    expect(layer.diffId).toBe(digestOf(layerTar(layer)));
    expect(layer.size).toBe(layer.blob.length);
  });
});

describe('an image', () => {
  it('lists its layers in one order in config and manifest', async () => {
    const layers = [await makeLayer([folder('a')]), await makeLayer([folder('b')])];
    const image = makeImage('x:1', layers, {});
    const manifest = JSON.parse(Buffer.from(image.manifest).toString('utf8')) as {
      layers: readonly { digest: string }[];
    };
    expect(parse(image.config).rootfs.diff_ids).toEqual(layers.map(({ diffId }) => diffId));
    expect(manifest.layers.map(({ digest }) => digest)).toEqual(layers.map(({ digest }) => digest));
    expect(image.digest).toBe(digestOf(image.manifest));
  });

  it('names the architecture as registries do', () => {
    expect(imageArchitecture('x64')).toBe('amd64');
    expect(imageArchitecture('arm64')).toBe('arm64');
  });

  it('becomes an archive that names it and holds every part by digest', async () => {
    const image = await buildpackage();
    const entries = await unpackTar(await imageArchive(image, 'kpackless.local/pause:1'), { strict: true });
    const names = entries.map(({ header }) => header.name);
    for (const digest of [image.digest, digestOf(image.config), image.layers[0]?.digest])
      expect(names).toContain(`blobs/sha256/${digest?.slice('sha256:'.length) ?? ''}`);
    const index = entries.find(({ header }) => header.name === 'index.json');
    expect(Buffer.from(index?.data ?? []).toString('utf8')).toContain(
      '"io.containerd.image.name":"kpackless.local/pause:1"',
    );
  });
});

describe('the sample buildpackage', () => {
  it('is the same for the same version and another for another', async () => {
    expect((await buildpackage()).digest).toBe((await buildpackage()).digest);
    expect((await buildpackage('1.0.1')).digest).not.toBe((await buildpackage()).digest);
  });

  it('has the labels a store reads (spec 04 §5), with the layer that is really in it', async () => {
    const image = await buildpackage();
    expect(label(image, 'io.buildpacks.buildpackage.metadata')).toMatchObject({ id: 'sample/hello', version: '1.0.0' });
    expect(label(image, 'io.buildpacks.buildpack.layers')).toMatchObject({
      'sample/hello': { '1.0.0': { api: '0.10', layerDiffID: image.layers[0]?.diffId, stacks: [{ id: '*' }] } },
    });
  });
});

describe('the lifecycle image', () => {
  it('is labelled with the version of its programs and what they understand', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'kpackless-lifecycle-')), 'program');
    writeFileSync(file, 'x');
    const image = await lifecycleImage({ name: 'lifecycle:1', binaries: { lifecycle: file, launcher: file } });
    rmSync(dirname(file), { recursive: true });
    expect(label(image, 'io.buildpacks.builder.metadata')).toMatchObject({ lifecycle: { version: '0.21.0' } });
    expect(label(image, 'io.buildpacks.lifecycle.apis')).toMatchObject({
      platform: { supported: expect.arrayContaining(['0.9']) as unknown },
    });
    const names = (await unpackTar(layerTar(image.layers[0] ?? (await makeLayer([]))))).map(
      ({ header }) => header.name,
    );
    for (const phase of ['analyzer', 'detector', 'restorer', 'builder', 'exporter', 'launcher'])
      expect(names).toContain(`cnb/lifecycle/${phase}`);
  });
});

describe('the sample buildpack, run as a lifecycle runs it', () => {
  let dir: string;
  const sh = (script: string, env: Record<string, string>) =>
    promisify(execFile)('/bin/sh', [join(dir, script)], {
      cwd: join(dir, 'app'),
      timeout: 10_000,
      env: { ...process.env, ...env },
    });
  const build = () => sh('bin/build', { CNB_LAYERS_DIR: join(dir, 'layers'), CNB_PLATFORM_DIR: join(dir, 'platform') });

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'kpackless-buildpack-'));
    for (const name of ['app', 'bin', 'layers', 'platform/env']) mkdirSync(join(dir, name), { recursive: true });
    const [layer] = (await buildpackage()).layers;
    for (const { header, data } of await unpackTar(layerTar(layer ?? (await makeLayer([])))))
      if (header.name.includes('/bin/') && data !== undefined)
        writeFileSync(join(dir, 'bin', header.name.split('/').at(-1) ?? ''), data);
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('takes any source, and writes what it provides', async () => {
    const plan = join(dir, 'plan.toml');
    await sh('bin/detect', { CNB_BUILD_PLAN_PATH: plan });
    expect(readFileSync(plan, 'utf8')).toContain('[[provides]]\nname = "sample"');
  });

  it('makes a launch layer with the greeting of the build environment, and a default process', async () => {
    writeFileSync(join(dir, 'platform/env/GREETING'), 'bonjour');
    const { stdout } = await build();
    expect(stdout).toBe('sample/hello 1.0.0\nfilling the cached layer\n');
    expect(readFileSync(join(dir, 'layers/greeting/text'), 'utf8')).toBe('bonjour from 1.0.0\n');
    expect(readFileSync(join(dir, 'layers/launch.toml'), 'utf8')).toMatch(/type = "web"\n.*\n.*\ndefault = true/);
    expect(existsSync(join(dir, 'layers/cached.toml'))).toBe(true);
  });

  it('uses the cached layer of the build before', async () => {
    expect((await build()).stdout).toContain('reusing the cached layer');
  });

  it.each([
    ['fail-detect', 'bin/detect', 100],
    ['fail-build', 'bin/build', 1],
  ])('ends with the file %s in the source as asked', async (file, script, code) => {
    writeFileSync(join(dir, 'app', file), '');
    const run = sh(script, { CNB_LAYERS_DIR: join(dir, 'layers'), CNB_PLATFORM_DIR: join(dir, 'platform') });
    await expect(run).rejects.toMatchObject({ code });
    rmSync(join(dir, 'app', file));
  });
});
