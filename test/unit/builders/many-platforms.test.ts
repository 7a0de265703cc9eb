import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { platformsWanted } from '../../../lib/builders/platforms.ts';
import { openRegistry } from '../../../lib/oci/client.ts';
import { readImage, type StoredImage } from '../../../lib/oci/image.ts';
import { parseReference } from '../../../lib/oci/reference.ts';
import { type BuilderWorld, builderWorld } from '../../support/builder-world.ts';
import { diffIdOf, storeBuildpackage, storeIndex } from '../../support/buildpack-images.ts';
import { architectures, platformParts, storePart, storeParts } from '../../support/platform-parts.ts';

let world: BuilderWorld;
const readParts = async (): Promise<void> => {
  await world.reconcile('ClusterStack', 'stack');
  await world.reconcile('ClusterLifecycle', 'default-lifecycle');
  await world.reconcile('ClusterStore', 'store');
};
const putBuilder = (platforms: string | undefined): void => {
  const spec = {
    tag: `${world.registry.host}/builders/my`,
    stack: { name: 'stack' },
    store: { name: 'store' },
    order: [{ group: [{ id: 'a' }] }],
    serviceAccountName: 'builder',
  };
  world.put(
    'Builder',
    'my',
    { spec },
    platforms === undefined ? {} : { annotations: { 'kpack.io/platforms': platforms } },
  );
};
const latest = (): string => world.status('Builder', 'my').latestImage ?? '';
const read = (name: string, architecture: string): Promise<StoredImage> =>
  readImage(openRegistry(), parseReference(name), { platform: { os: 'linux', architecture } });

beforeEach(async () => {
  world = await builderWorld();
  const at = (image: string) => ({ image: `${world.registry.host}/${image}` });
  for (const part of platformParts) storeParts(world.registry, part);
  world.put('ClusterStack', 'stack', { spec: { id: 's', buildImage: at('s/build:1'), runImage: at('s/run:1') } });
  world.put('ClusterLifecycle', 'default-lifecycle', { spec: at('lifecycle:1') });
  world.put('ClusterStore', 'store', { spec: { sources: [at('bp/a:1')] } });
  world.put('ServiceAccount', 'builder');
  await readParts();
});
afterEach(() => world.registry.close());

describe('a builder for every platform its parts are for', () => {
  it('is an index over one builder for each, made of that platform’s parts', async () => {
    putBuilder('all');
    await world.reconcile('Builder', 'my');
    expect(world.status('Builder', 'my').conditions).toMatchObject([{ status: 'True' }, { status: 'True' }]);
    for (const architecture of architectures) {
      const image = await read(latest(), architecture);
      expect(image.namedDigest).toBe(latest().split('@')[1]);
      expect(image.platform.architecture).toBe(architecture);
      expect(image.diffIds).toEqual(
        expect.arrayContaining(
          ['s/build:1', 'lifecycle:1', 'bp/a:1'].map((part) => diffIdOf(`${part} ${architecture}`)),
        ),
      );
      expect(image.labels['io.buildpacks.buildpack.layers']).toContain(diffIdOf(`bp/a:1 ${architecture}`));
    }
  });

  it('names one run image that is an index too', async () => {
    putBuilder('all');
    await world.reconcile('Builder', 'my');
    const { stack } = v.parse(v.object({ stack: v.object({ runImage: v.string() }) }), world.status('Builder', 'my'));
    for (const architecture of architectures) {
      expect((await read(stack.runImage, architecture)).diffIds).toEqual([diffIdOf(`s/run:1 ${architecture}`)]);
      const { labels } = await read(latest(), architecture);
      expect(labels['io.buildpacks.builder.metadata']).toContain(stack.runImage);
    }
  });

  it('without the annotation is the one for linux/amd64, and so it is for that platform alone', async () => {
    putBuilder(undefined);
    await world.reconcile('Builder', 'my');
    const single = latest();
    expect((await read(single, 'arm64')).platform.architecture).toBe('amd64');
    putBuilder('linux/amd64');
    await world.reconcile('Builder', 'my');
    expect(latest()).toBe(single);
  });

  it('is for those platforms alone that all parts are for, or says who lacks one that is wanted', async () => {
    storeParts(world.registry, 'bp/a:1', ['amd64']);
    await readParts();
    putBuilder('all');
    await world.reconcile('Builder', 'my');
    expect((await read(latest(), 'arm64')).platform.architecture).toBe('amd64');
    putBuilder('linux/arm64, linux/amd64');
    await world.reconcile('Builder', 'my');
    expect(world.status('Builder', 'my').conditions.at(-1)).toMatchObject({
      status: 'False',
      message: `no builder can be made for linux/arm64: ${world.registry.host}/bp/a:1 is for linux/amd64 only`,
    });
  });

  it('says which platform a buildpack is not made for', async () => {
    for (const architecture of architectures) {
      const over = { targets: [{ os: 'linux', arch: 'amd64' }] };
      storeBuildpackage(world.registry, `bp/a:${architecture}`, 'a@1', `bp/a:1 ${architecture}`, over, architecture);
    }
    const digestOf = (architecture: string) =>
      world.registry.store.repository('bp/a').tags.get(architecture) ?? 'no such tag';
    storeIndex(world.registry, 'bp/a:1', { amd64: digestOf('amd64'), arm64: digestOf('arm64') });
    await readParts();
    putBuilder('linux/amd64');
    await world.reconcile('Builder', 'my');
    expect(world.status('Builder', 'my').conditions.at(-1)).toMatchObject({ status: 'True' });
    putBuilder('linux/amd64,linux/arm64');
    await world.reconcile('Builder', 'my');
    expect(world.status('Builder', 'my').conditions.at(-1)).toMatchObject({
      status: 'False',
      message: 'validating buildpack a@1: it is for linux/amd64, the builder for linux/arm64; ordered by group 1 → a@1',
    });
  });

  it('is left alone while nothing moves, and made again when another platform’s part does', async () => {
    putBuilder('all');
    const { memory, outcome } = await world.reconcile('Builder', 'my');
    expect(outcome).toMatchObject({ done: false, afterSeconds: 300 });
    const before = latest();
    world.registry.clearRequests();
    expect((await world.reconcile('Builder', 'my', { memory })).statusWrites).toBe(0);
    expect(world.registry.requests.filter(({ method }) => method !== 'HEAD')).toEqual([]);
    storeIndex(world.registry, 's/build:1', {
      amd64: storePart(world.registry, 's/build:1', 'amd64'),
      arm64: storePart(world.registry, 's/build:1', 'arm64', ' patched'),
    });
    await world.reconcile('Builder', 'my', { memory });
    expect(latest()).not.toBe(before);
    expect((await read(latest(), 'arm64')).diffIds).toContain(diffIdOf('s/build:1 arm64 patched'));
  });

  it('waits for its stack to be read when a tag has moved: parts of two editions are not mixed', async () => {
    putBuilder('all');
    storeParts(world.registry, 's/build:1', architectures, ' patched');
    await world.reconcile('Builder', 'my');
    expect(world.status('Builder', 'my').conditions.at(-1)).toMatchObject({
      message: 'ClusterStack stack has not been read since a tag of its images moved',
    });
    await readParts();
    await world.reconcile('Builder', 'my');
    expect((await read(latest(), 'amd64')).diffIds).toContain(diffIdOf('s/build:1 amd64 patched'));
  });
});

describe('the annotation kpack.io/platforms', () => {
  it('is all, or names of platforms, the usual one first', () => {
    expect(platformsWanted('')).toBeUndefined();
    expect(platformsWanted('all')).toBe('all');
    expect(platformsWanted('linux/arm64,linux/amd64,linux/arm64')).toEqual(['linux/amd64', 'linux/arm64']);
  });

  it.each(['arm64', 'windows/amd64', 'linux/amd64,', 'linux/../x', 'linux/arm/v7'])('refuses %j', (text) => {
    expect(() => platformsWanted(text)).toThrow(
      /^annotation kpack.io\/platforms is .*; write all, or platforms such as/,
    );
  });
});
