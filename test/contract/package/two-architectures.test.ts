/**
 * The images for both processors, as `npm run images` pushes them. The other one's Node and packages are some 70 MB of downloads, so this
 * runs only when asked for: KPACKLESS_TEST_BOTH_ARCHITECTURES=1.
 */
import { gunzipSync } from 'node:zlib';
import { unpackTar } from 'modern-tar';
import { describe, expect, it } from 'vitest';
import { pushImages } from '../../../infra/push-images.ts';
import { type Architecture, architectures, machines } from '../../../infra/step-image/architecture.ts';
import { machineOf } from '../../../infra/step-image/strip.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';

const skipped = process.env['KPACKLESS_TEST_BOTH_ARCHITECTURES'] !== '1';

interface Descriptor {
  readonly digest: string;
  readonly mediaType: string;
  readonly platform?: { readonly os: string; readonly architecture: Architecture };
}

describe.skipIf(skipped)(`images for both processors${skipped ? ' (skipped: not asked for)' : ''}`, () => {
  it('are one index, share the programs, and each has the machine code of its own alone', {
    timeout: 300_000,
  }, async () => {
    const registry = await startFakeRegistry();
    try {
      const get = (path: string): Promise<Response> => fetch(`http://${registry.host}/v2/kpackless/steps/${path}`);
      const json = async <T>(path: string): Promise<T> => (await (await get(path)).json()) as T;
      const { steps, relay } = await pushImages(`${registry.host}/kpackless`, () => undefined);
      const { manifests } = await json<{ manifests: readonly Descriptor[] }>(`manifests/${steps.split('@')[1]}`);
      expect(manifests.map(({ platform }) => platform)).toEqual(
        architectures.map((architecture) => ({ os: 'linux', architecture })),
      );
      const programs = new Set<string | undefined>();
      for (const { digest, platform } of manifests) {
        const { layers, config } = await json<{ layers: readonly Descriptor[]; config: Descriptor }>(
          `manifests/${digest}`,
        );
        expect(await json(`blobs/${config.digest}`)).toMatchObject(platform ?? {});
        programs.add(layers.at(-1)?.digest);
        const found = new Map<string, number>();
        for (const layer of layers) {
          const tar = gunzipSync(Buffer.from(await (await get(`blobs/${layer.digest}`)).arrayBuffer()));
          for (const { header, data } of await unpackTar(tar)) {
            const machine = machineOf(Buffer.from(data ?? []).subarray(0, 64));
            if (machine !== undefined) found.set(header.name, machine);
          }
        }
        const wanted = machines[platform?.architecture ?? 'amd64'];
        expect([...new Set(found.values())]).toEqual([wanted.elfMachine]);
        expect([...found.keys()]).toEqual(
          expect.arrayContaining([
            'usr/bin/node',
            'usr/bin/git',
            'usr/bin/git-lfs',
            'usr/bin/ssh',
            'usr/bin/dash',
            `usr/lib/${wanted.libraries}/libc.so.6`,
          ]),
        );
      }
      expect(programs.size).toBe(1);
      expect(await pushImages(`${registry.host}/kpackless`, () => undefined)).toEqual({ steps, relay });
    } finally {
      await registry.close();
    }
  });
});
