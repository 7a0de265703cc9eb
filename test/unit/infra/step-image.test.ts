import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { unpackTar } from 'modern-tar';
import { describe, expect, it } from 'vitest';
import { stepImageCacheDir } from '../../../infra/step-image/build.ts';
import { toolOutput } from '../../../infra/step-image/command.ts';
import { parsePrintedUris } from '../../../infra/step-image/debian.ts';
import { type LayerEntry, writeLayer } from '../../../infra/step-image/layer.ts';
import { pinnedPackages } from '../../../infra/step-image/packages.ts';
import { programLayer, stepPrograms } from '../../../infra/step-image/program-layer.ts';
import { digestOf } from '../../../lib/oci/digest.ts';

const root = new URL('../../..', import.meta.url).pathname;

/** Writes the layer and answers its bytes and what it says of itself. */
const written = async (entries: readonly LayerEntry[]) => {
  const folder = await mkdtemp(join(tmpdir(), 'kpackless-layer-'));
  try {
    const layer = await writeLayer(join(folder, 'layer.tar.gz'), entries);
    return { layer, bytes: await readFile(layer.path) };
  } finally {
    await rm(folder, { recursive: true });
  }
};

const entries: readonly LayerEntry[] = [
  { path: 'usr/bin/x', kind: 'file', mode: 0o755, content: '#!/bin/sh\n' },
  { path: 'usr', kind: 'directory' },
  { path: 'bin', kind: 'symlink', target: 'usr/bin' },
];

describe('a layer of the step image', () => {
  it('has the same bytes whatever the order of its entries, and says its digests and size', async () => {
    const [one, two] = [await written(entries), await written(entries.toReversed())];
    expect(one.bytes.equals(two.bytes)).toBe(true);
    expect(one.layer).toMatchObject({
      digest: digestOf(one.bytes),
      diffId: digestOf(gunzipSync(one.bytes)),
      size: one.bytes.length,
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    });
  });

  it('names no user and no time, and is sorted', async () => {
    const { bytes } = await written(entries);
    const headers = (await unpackTar(gunzipSync(bytes), { strict: true })).map(({ header }) => header);
    expect(headers.map(({ name }) => name.replace(/\/$/, ''))).toStrictEqual(['bin', 'usr', 'usr/bin/x']);
    for (const header of headers) {
      expect(header).toMatchObject({ uid: 0, gid: 0, uname: '', gname: '', mtime: new Date(0) });
    }
  });
});

describe('the programs', () => {
  it('are executables under the paths that build pods name, and know nothing of where they were built', async () => {
    const programs = await programLayer(root);
    const files = programs
      .flatMap((entry) => (entry.kind === 'file' && 'content' in entry ? [entry] : []))
      .filter(({ path }) => path.startsWith('cnb/process/'));
    expect(files.map(({ path }) => path).sort()).toStrictEqual(Object.keys(stepPrograms).sort());
    for (const { content, mode } of files) {
      expect(mode).toBe(0o755);
      expect(content.startsWith('#!/usr/bin/node\n')).toBe(true);
      expect(content.includes(root)).toBe(false);
      expect(content.length).toBeLessThan(300_000);
    }
  });
});

describe('Debian packages', () => {
  it('are read from what apt prints, epochs and all', () => {
    const line = `'http://h/g/git_2.39.5-0%2bdeb12u3_amd64.deb' git_1%3a2.39.5-0+deb12u3_amd64.deb 7264380 SHA256:${'a'.repeat(64)}`;
    expect([...parsePrintedUris(`${line}\nW: something else\n`).values()]).toStrictEqual([
      {
        name: 'git',
        version: '1:2.39.5-0+deb12u3',
        sha256: 'a'.repeat(64),
        fileName: 'git_1%3a2.39.5-0+deb12u3_amd64.deb',
      },
    ]);
    expect(pinnedPackages['git']).toMatch(/^1:2\.39\./);
  });

  it('need tools, and a missing one is named with the package that has it', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = '/nonexistent';
    try {
      await expect(toolOutput('readelf', ['x'])).rejects.toThrow(
        'building the step image needs `readelf`, which is not on this machine: install the package binutils',
      );
    } finally {
      process.env['PATH'] = path;
    }
  });
});

describe('the cache', () => {
  it('is below the user’s cache folder', () => {
    expect(stepImageCacheDir({ XDG_CACHE_HOME: '/x' })).toBe('/x/kpackless/step-image');
    expect(stepImageCacheDir({})).toMatch(/\/\.cache\/kpackless\/step-image$/);
  });
});
