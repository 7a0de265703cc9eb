/** A builder far larger than a pass: 160 MB between two CNCF registries, with half a second for each pass. */
import { createHash, randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRegistry } from '../../../lib/oci/client.ts';
import { type Digest, digestOf } from '../../../lib/oci/digest.ts';
import { replay } from '../../../lib/oci/http.ts';
import { readImage } from '../../../lib/oci/image.ts';
import { dockerConfigType, dockerLayerType, dockerManifestType } from '../../../lib/oci/media-types.ts';
import { parseReference, parseTag, type TagReference } from '../../../lib/oci/reference.ts';
import { type BuilderWorld, builderWorld } from '../../support/builder-world.ts';
import { lifecycleLabels } from '../../support/buildpack-images.ts';
import { type RealRegistry, registryPrograms, startRealRegistry } from '../../support/real-registry.ts';

const [program] = registryPrograms();
if (program === undefined) console.log('a large builder skipped: no registry program (npm start compiles one)');

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const heldMegabytes = (): number => {
  collectGarbage();
  return process.memoryUsage().arrayBuffers / 1e6;
};

const mebi = 1024 * 1024;
const layers = 4;
const layerMebi = 40;
const budgetSeconds = 0.5;
const filler = randomBytes(mebi);

/** Content that is no tar: nobody who pushes a builder looks into layers. */
const largeLayer = async function* (index: number): AsyncGenerator<Uint8Array> {
  for (let piece = 0; piece < layerMebi; piece += 1) {
    filler.writeUInt32BE(index * 1000 + piece);
    yield Buffer.from(filler);
  }
};

describe.skipIf(program === undefined)('a builder larger than a pass, in the CNCF registry', () => {
  let sources: RealRegistry;
  let target: RealRegistry;
  let world: BuilderWorld;
  const registry = openRegistry();

  const push = async (
    name: string,
    labels: Readonly<Record<string, string>>,
    layer: { readonly digest: Digest; readonly size: number; readonly open: () => AsyncIterable<Uint8Array> },
  ): Promise<void> => {
    const tag: TagReference = parseTag(`${sources.host}/${name}`);
    const config = Buffer.from(
      JSON.stringify({
        architecture: 'amd64',
        os: 'linux',
        config: { Labels: labels, Env: ['CNB_USER_ID=1', 'CNB_GROUP_ID=1'] },
        rootfs: { type: 'layers', diff_ids: [layer.digest] },
      }),
    );
    await registry.pushBlob(tag, layer);
    await registry.pushBlob(tag, { ...replay(config), digest: digestOf(config) });
    const manifest = {
      schemaVersion: 2,
      mediaType: dockerManifestType,
      config: { mediaType: dockerConfigType, size: config.byteLength, digest: digestOf(config) },
      layers: [{ mediaType: dockerLayerType, size: layer.size, digest: layer.digest }],
    };
    await registry.putManifest(tag, { mediaType: dockerManifestType, bytes: Buffer.from(JSON.stringify(manifest)) });
  };
  const small = (text: string) => ({ ...replay(Buffer.from(text)), digest: digestOf(text) });

  beforeAll(async () => {
    [sources, target] = await Promise.all([
      startRealRegistry(program ?? '', 'open'),
      startRealRegistry(program ?? '', 'open'),
    ]);
    world = await builderWorld();
    const at = (image: string) => ({ image: `${sources.host}/${image}` });
    await push('build:1', { 'io.buildpacks.stack.id': 's' }, small('build'));
    await push('run:1', { 'io.buildpacks.stack.id': 's' }, small('run'));
    await push('lifecycle:1', lifecycleLabels, small('lifecycle'));
    const names = Array.from({ length: layers }, (_, index) => `large/${index}`);
    for (const [index, name] of names.entries()) {
      const hash = createHash('sha256');
      for await (const piece of largeLayer(index)) hash.update(piece);
      const digest = `sha256:${hash.digest('hex')}` as const;
      const label = { [name]: { '1': { api: '0.10', layerDiffID: digest, stacks: [{ id: '*' }] } } };
      await push(
        `${name}:1`,
        { 'io.buildpacks.buildpack.layers': JSON.stringify(label) },
        { digest, size: layerMebi * mebi, open: () => largeLayer(index) },
      );
    }
    world.put('ClusterStack', 'stack', { spec: { id: 's', buildImage: at('build:1'), runImage: at('run:1') } });
    world.put('ClusterLifecycle', 'default-lifecycle', { spec: at('lifecycle:1') });
    world.put('ClusterStore', 'store', { spec: { sources: names.map((name) => at(`${name}:1`)) } });
    world.put('ServiceAccount', 'builder');
    for (const [kind, name] of [
      ['ClusterStack', 'stack'],
      ['ClusterLifecycle', 'default-lifecycle'],
      ['ClusterStore', 'store'],
    ] as const)
      await world.reconcile(kind, name);
    const spec = {
      tag: `${target.host}/builders/large`,
      stack: { name: 'stack' },
      store: { name: 'store' },
      order: [{ group: names.map((id) => ({ id })) }],
      serviceAccountName: 'builder',
    };
    world.put('Builder', 'large', { spec });
  }, 120_000);
  afterAll(() => Promise.all([sources.close(), target.close(), world.registry.close()]));

  it('is finished over several passes, each within its budget, without being held in memory', async () => {
    const seconds: number[] = [];
    const said: string[] = [];
    const before = heldMegabytes();
    let mostHeld = 0;
    let memory: string | undefined;
    while (seconds.length < 60 && world.status('Builder', 'large')?.latestImage === undefined) {
      const started = performance.now();
      const elapsed = (): number => (performance.now() - started) / 1000;
      ({ memory } = await world.reconcile('Builder', 'large', {
        memory,
        remainingSeconds: () => budgetSeconds - elapsed(),
      }));
      seconds.push(elapsed());
      said.push(world.status('Builder', 'large').conditions.at(-1)?.message ?? '');
      mostHeld = Math.max(mostHeld, heldMegabytes() - before);
    }
    const { latestImage = '', conditions } = world.status('Builder', 'large');
    expect(conditions).toMatchObject([{ status: 'True' }, { status: 'True' }]);
    expect(said.length).toBeGreaterThan(1);
    for (const message of said.slice(0, -1)) expect(message).toMatch(/^\d+ of \d+ layers are in the registry/);
    // A pass that ends late is killed by its platform; a loaded machine may take a moment to notice that time is up.
    expect(Math.max(...seconds)).toBeLessThan(budgetSeconds + 2);
    // Half of it all: what is sent is held for a moment, longer where the processor is busy.
    expect(mostHeld).toBeLessThan(80);
    const image = await readImage(registry, parseReference(latestImage));
    expect(image.layers.reduce((sum, { size }) => sum + size, 0)).toBeGreaterThan(layers * layerMebi * mebi);
    for (const { digest } of image.layers) expect(await registry.hasBlob(image.reference, digest)).toBe(true);
  }, 120_000);
});
