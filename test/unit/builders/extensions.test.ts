import { gunzipSync } from 'node:zlib';
import { unpackTar } from 'modern-tar';
import { parse } from 'smol-toml';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BuilderWorld, builderWorld } from '../../support/builder-world.ts';
import {
  diffIdOf,
  lifecycleLabels,
  storeBuildpackage,
  storeDockerImage,
  storeExtension,
} from '../../support/buildpack-images.ts';

const user = ['CNB_USER_ID=4000', 'CNB_GROUP_ID=3000'];
const stackLabels = { 'io.buildpacks.stack.id': 's' };
const newLifecycle = {
  ...lifecycleLabels,
  'io.buildpacks.lifecycle.apis':
    '{"buildpack":{"supported":["0.7","0.10"]},"platform":{"supported":["0.7","0.8","0.12","0.13"]}}',
};

let world: BuilderWorld;
const at = (image: string) => ({ image: `${world.registry.host}/${image}` });

beforeEach(async () => {
  world = await builderWorld();
  const { registry, put, reconcile } = world;
  storeDockerImage(registry, 's/build:1', { labels: stackLabels, env: user, layers: ['base'] });
  storeDockerImage(registry, 's/run:1', { labels: stackLabels, layers: ['run'] });
  storeDockerImage(registry, 'lifecycle:1', { labels: newLifecycle, layers: ['lifecycle'] });
  storeBuildpackage(registry, 'bp/a:1', 'a@1');
  storeExtension(registry, 'ext/curl:1', 'curl@1.0.0');
  storeExtension(registry, 'ext/curl:2', 'curl@2.0.0', 'extension two', { homepage: 'https://curl.example' });
  put('ClusterStack', 'stack', { spec: { id: 's', buildImage: at('s/build:1'), runImage: at('s/run:1') } });
  put('ClusterLifecycle', 'default-lifecycle', { spec: at('lifecycle:1') });
  put('ClusterStore', 'store', { spec: { sources: [at('bp/a:1'), at('ext/curl:1'), at('ext/curl:2')] } });
  put('ServiceAccount', 'builder');
  await reconcile('ClusterStack', 'stack');
  await reconcile('ClusterLifecycle', 'default-lifecycle');
  await reconcile('ClusterStore', 'store');
});
afterEach(() => world.registry.close());

const make = async (more: Readonly<Record<string, unknown>>, kind = 'Builder') => {
  world.put(kind, 'my', {
    spec: {
      tag: `${world.registry.host}/builders/my`,
      stack: { kind: 'ClusterStack', name: 'stack' },
      store: { kind: 'ClusterStore', name: 'store' },
      order: [{ group: [{ id: 'a' }] }],
      serviceAccountName: 'builder',
      serviceAccountRef: { namespace: 'ns', name: 'builder' },
      ...more,
    },
  });
  await world.reconcile(kind, 'my');
  return world.status(kind, 'my');
};
const refusal = async (more: Readonly<Record<string, unknown>>): Promise<string | undefined> =>
  (await make(more)).conditions.find(({ type }) => type === 'UpToDate')?.message;

interface Pushed {
  readonly labels: Readonly<Record<string, string>>;
  readonly diffIds: readonly string[];
  /** Text of a file, from whichever layer holds it. */
  readonly file: (path: string) => Promise<string>;
}
const pushed = (): Pushed => {
  const { manifests, blobs, tags } = world.registry.store.repository('builders/my');
  const manifest = JSON.parse(String(manifests.get(tags.get('builder-ns-my') ?? '')?.bytes)) as {
    readonly config: { readonly digest: string };
    readonly layers: readonly { readonly digest: string }[];
  };
  const config = JSON.parse(String(blobs.get(manifest.config.digest))) as {
    readonly rootfs: { readonly diff_ids: readonly string[] };
    readonly config: { readonly Labels: Readonly<Record<string, string>> };
  };
  return {
    labels: config.config.Labels,
    diffIds: config.rootfs.diff_ids,
    file: async (path) => {
      for (const { digest } of manifest.layers) {
        const tar = gunzipSync(blobs.get(digest) ?? '');
        const entries = tar.length < 1024 ? [] : await unpackTar(tar);
        const found = entries.find(({ header }) => header.name === path);
        if (found?.data !== undefined) return new TextDecoder().decode(found.data);
      }
      throw new Error(`no ${path} in the image`);
    },
  };
};

const curl = (version?: string) => [{ group: [{ id: 'curl', ...(version && { version }) }] }];

describe('a package of image extensions', () => {
  it('is read like one of buildpacks, into a list of its own', () => {
    expect(world.status('ClusterStore', 'store')).toMatchObject({
      buildpacks: [{ id: 'a', version: '1' }],
      extensions: [
        {
          id: 'curl',
          version: '1.0.0',
          api: '0.10',
          storeImage: at('ext/curl:1'),
          diffId: diffIdOf('extension curl@1.0.0'),
        },
        { id: 'curl', version: '2.0.0', homepage: 'https://curl.example' },
      ],
      conditions: [{ type: 'Ready', status: 'True' }],
    });
  });

  it('may come as a Buildpack object, and is then named by it', async () => {
    world.put('Buildpack', 'from-object', { spec: { ...at('ext/curl:1'), serviceAccountName: 'builder' } });
    await world.reconcile('Buildpack', 'from-object');
    expect(world.status('Buildpack', 'from-object')).toMatchObject({ extensions: [{ id: 'curl', version: '1.0.0' }] });
    expect(world.status('Buildpack', 'from-object')['buildpacks']).toBeUndefined();
    const { conditions } = await make({ orderExtensions: [{ group: [{ kind: 'Buildpack', name: 'from-object' }] }] });
    expect(conditions).toMatchObject([{ status: 'True' }, { status: 'True' }]);
    expect(pushed().diffIds).toContain(diffIdOf('extension curl@1.0.0'));
  });

  it('is no buildpack: an order of buildpacks does not find it', async () => {
    expect(await refusal({ order: [{ group: [{ id: 'curl' }] }] })).toBe("could not find buildpack with id 'curl'");
  });
});

describe('a builder with image extensions', () => {
  it('holds their layers, and says them in its order, its labels and its status', async () => {
    const status = await make({ orderExtensions: curl() });
    expect(status.conditions).toMatchObject([{ status: 'True' }, { status: 'True' }]);
    expect(status).toMatchObject({
      orderExtensions: [{ group: [{ id: 'curl', version: '2.0.0' }] }],
      builderMetadata: [{ id: 'a' }, { id: 'curl', version: '2.0.0', homepage: 'https://curl.example' }],
    });
    const { labels, diffIds, file } = pushed();
    expect(diffIds).toContain(diffIdOf('extension two'));
    expect(diffIds).not.toContain(diffIdOf('extension curl@1.0.0'));
    expect(parse(await file('/cnb/order.toml'))).toEqual({
      order: [{ group: [{ id: 'a', version: '1' }] }],
      'order-extensions': [{ group: [{ id: 'curl', version: '2.0.0' }] }],
    });
    expect(parse(await file('/cnb/run.toml'))).toEqual({
      images: [{ image: (status['stack'] as { readonly runImage: string }).runImage }],
    });
    const json = (label: string): unknown => JSON.parse(labels[label] ?? '');
    expect(json('io.buildpacks.buildpack.order-extensions')).toEqual([{ group: [{ id: 'curl', version: '2.0.0' }] }]);
    expect(json('io.buildpacks.extension.layers')).toEqual({
      curl: { '2.0.0': { api: '0.10', layerDiffID: diffIdOf('extension two'), homepage: 'https://curl.example' } },
    });
    expect(json('io.buildpacks.builder.metadata')).toMatchObject({
      extensions: [{ id: 'curl', version: '2.0.0', homepage: 'https://curl.example' }],
    });
  });

  it('of several platforms holds the extensions of each', async () => {
    world.put(
      'Builder',
      'my',
      {
        spec: {
          tag: `${world.registry.host}/builders/my`,
          stack: { name: 'stack' },
          store: { name: 'store' },
          order: [{ group: [{ id: 'a' }] }],
          orderExtensions: curl('1.0.0'),
          serviceAccountName: 'builder',
        },
      },
      { annotations: { 'kpack.io/platforms': 'all' } },
    );
    await world.reconcile('Builder', 'my');
    expect(world.status('Builder', 'my').conditions).toMatchObject([{ status: 'True' }, { status: 'True' }]);
    expect(pushed().diffIds).toContain(diffIdOf('extension curl@1.0.0'));
  });

  it('is byte for byte kpack’s when it asks for none', async () => {
    await make({});
    const without = pushed();
    await make({ orderExtensions: [] });
    expect(pushed().diffIds).toEqual(without.diffIds);
    expect(pushed().labels).toEqual(without.labels);
    expect(Object.keys(without.labels).filter((label) => label.includes('extension'))).toEqual([]);
    expect(without.labels['io.buildpacks.builder.metadata']).not.toContain('extensions');
    await expect(without.file('/cnb/run.toml')).rejects.toThrow('no /cnb/run.toml');
  });

  it.each([
    [
      'names no extension',
      [{ group: [{ id: 'wget' }] }],
      "spec.orderExtensions[0].group[0]: could not find extension with id 'wget'",
    ],
    [
      'names a version that is not there',
      [{ group: [{ id: 'curl' }] }, { group: [{ id: 'curl', version: '3' }] }],
      "spec.orderExtensions[1].group[0]: could not find extension with id 'curl' and version '3'",
    ],
    [
      'names a buildpack',
      [{ group: [{ id: 'a' }] }],
      "spec.orderExtensions[0].group[0]: could not find extension with id 'a'",
    ],
    [
      'names one twice in a group',
      [{ group: [{ id: 'curl' }, { id: 'curl', version: '1.0.0' }] }],
      'spec.orderExtensions[0].group[1]: extension curl is in the group already',
    ],
    [
      'names an object that is not there',
      [{ group: [{ kind: 'ClusterBuildpack', name: 'x' }] }],
      "spec.orderExtensions[0].group[0]: no cluster buildpack with name 'x'",
    ],
  ])('that %s is refused, with the place', async (_what, orderExtensions, message) => {
    expect(await refusal({ orderExtensions })).toBe(message);
  });

  it('is refused where the lifecycle speaks no platform API that has them', async () => {
    storeDockerImage(world.registry, 'lifecycle:1', { labels: lifecycleLabels, layers: ['old lifecycle'] });
    await world.reconcile('ClusterLifecycle', 'default-lifecycle');
    expect(await refusal({ orderExtensions: curl() })).toBe(
      'spec.orderExtensions: the lifecycle speaks platform APIs 0.7, 0.8; extensions need one of 0.13, 0.12',
    );
  });

  it('is refused where the lifecycle does not know the API of an extension', async () => {
    storeExtension(world.registry, 'ext/curl:1', 'curl@1.0.0', 'newer', { api: '0.99' });
    await world.reconcile('ClusterStore', 'store');
    expect(await refusal({ orderExtensions: curl('1.0.0') })).toBe(
      'validating extension curl@1.0.0: unsupported buildpack api: 0.99, expecting: 0.7, 0.10',
    );
  });
});
