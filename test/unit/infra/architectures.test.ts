import { mkdtemp, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pushPlatforms } from '../../../infra/local/images/push-step-image.ts';
import { type Architecture, architectures, machines, ownArchitecture } from '../../../infra/step-image/architecture.ts';
import type { StepImage } from '../../../infra/step-image/build.ts';
import { toolOutput } from '../../../infra/step-image/command.ts';
import { checkMachine } from '../../../infra/step-image/elf.ts';
import { writeLayer } from '../../../infra/step-image/layer.ts';
import { machineOf, stripped } from '../../../infra/step-image/strip.ts';
import { digestOf } from '../../../lib/oci/digest.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kpackless-architectures-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The least that is a program: a head, one segment that is loaded, and behind it symbols with a table that describes them. */
const program = async (architecture: Architecture): Promise<string> => {
  const head = Buffer.alloc(64);
  head.write('\x7fELF\x02\x01\x01', 'latin1');
  head.writeUInt16LE(machines[architecture].elfMachine, 0x12);
  head.writeBigUInt64LE(64n, 0x20);
  head.writeBigUInt64LE(500n, 0x28);
  head.writeUInt16LE(56, 0x36);
  head.writeUInt16LE(1, 0x38);
  head.writeUInt16LE(3, 0x3c);
  head.writeUInt16LE(2, 0x3e);
  const segment = Buffer.alloc(56);
  segment.writeUInt32LE(1, 0);
  segment.writeBigUInt64LE(200n, 0x20);
  const path = join(folder, `program-${architecture}`);
  await writeFile(path, Buffer.concat([head, segment, Buffer.alloc(80, 'code'), Buffer.alloc(400, 'symbols')]));
  return path;
};

describe('a program of the images', () => {
  it.each(architectures)('for %s loses what is never loaded, whatever machine builds it', async (architecture) => {
    const to = join(folder, `stripped-${architecture}`);
    await stripped(await program(architecture), to);
    const bytes = await readFile(to);
    expect(bytes.byteLength).toBe(200);
    expect(machineOf(bytes)).toBe(machines[architecture].elfMachine);
    expect([bytes.readBigUInt64LE(0x28), bytes.readUInt16LE(0x3c), bytes.readUInt16LE(0x3e)]).toEqual([0n, 0, 0]);
    expect(bytes.toString('latin1')).not.toContain('symbols');
  });

  it('still runs', async () => {
    const shell = await realpath('/bin/sh');
    const to = join(folder, 'sh');
    await stripped(shell, to);
    expect((await stat(to)).size).toBeLessThan((await stat(shell)).size);
    expect(machineOf((await readFile(to)).subarray(0, 64))).toBe(machines[ownArchitecture()].elfMachine);
    expect(await toolOutput(to, ['-c', 'echo it runs'])).toBe('it runs\n');
  });

  it('that is for another machine, or for none, keeps the image from being made', async () => {
    const entry = { path: 'usr/bin/node', kind: 'file', from: await program('amd64') } as const;
    await expect(checkMachine([entry], 'amd64')).resolves.toBeUndefined();
    await expect(checkMachine([entry], 'arm64')).rejects.toThrow('usr/bin/node is not for arm64: its machine is 62');
    const script = join(folder, 'script');
    await writeFile(script, '#!/bin/sh\n');
    await expect(checkMachine([{ ...entry, from: script }], 'amd64')).rejects.toThrow('its machine is undefined');
    await expect(stripped(script, join(folder, 'no'))).rejects.toThrow('is no program of 64 bits');
  });
});

describe('images for several processors', () => {
  let registry: FakeRegistry;
  beforeAll(async () => {
    registry = await startFakeRegistry();
  });
  afterAll(() => registry.close());

  /** An image as `buildStepImage` makes them, of one small layer and one that both share. */
  const imageFor = async (architecture: Architecture): Promise<StepImage> => {
    const own = await writeLayer(join(folder, `own-${architecture}`), [
      { path: 'usr/bin/node', kind: 'file', from: await program(architecture) },
    ]);
    const shared = await writeLayer(join(folder, `shared-${architecture}`), [{ path: 'cnb', kind: 'directory' }]);
    const layers = [own, shared];
    const process = { User: '1000:1000', Env: [], Entrypoint: ['/cnb/x'], WorkingDir: '/', Labels: {} };
    const rootfs = { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) } as const;
    const created = '1980-01-01T00:00:01Z';
    return { layers, config: { created, architecture, os: 'linux', config: process, rootfs, history: [] } };
  };

  it('are one index that names each by its processor, with the same bytes every time', async () => {
    const push = async (): Promise<string> =>
      pushPlatforms(`${registry.host}/steps:latest`, await Promise.all(architectures.map(imageFor)));
    const reference = await push();
    expect(await push()).toBe(reference);
    const get = (path: string): Promise<Response> => fetch(`http://${registry.host}/v2/steps/${path}`);
    const [, digest = ''] = reference.split('@');
    const tagged = await get('manifests/latest');
    expect(tagged.headers.get('docker-content-digest')).toBe(digest);
    const index = (await tagged.json()) as {
      readonly mediaType: string;
      readonly manifests: readonly { readonly digest: string; readonly size: number }[];
    };
    expect(index).toEqual({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: architectures.map((architecture) => ({
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest: expect.any(String) as string,
        size: expect.any(Number) as number,
        platform: { architecture, os: 'linux' },
      })),
    });
    const last: unknown[] = [];
    for (const [number, child] of index.manifests.entries()) {
      const bytes = Buffer.from(await (await get(`manifests/${child.digest}`)).arrayBuffer());
      expect([digestOf(bytes), bytes.byteLength]).toEqual([child.digest, child.size]);
      const { config, layers } = JSON.parse(bytes.toString()) as {
        readonly config: { readonly digest: string };
        readonly layers: readonly { readonly digest: string }[];
      };
      expect(await (await get(`blobs/${config.digest}`)).json()).toMatchObject({ architecture: architectures[number] });
      last.push(layers[1]?.digest);
      expect(layers[0]?.digest).not.toBe(last[0]);
    }
    expect(new Set(last).size).toBe(1);
  });
});
