import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configCache } from '../../../lib/buildpacks/fetch-image.ts';
import { openRegistry } from '../../../lib/oci/client.ts';
import { type Digest, digestOf } from '../../../lib/oci/digest.ts';
import { imageFrom, type OciImage, readImage } from '../../../lib/oci/image.ts';
import type { Json } from '../../../lib/oci/image-json.ts';
import { rebaseImage } from '../../../lib/oci/rebase.ts';
import { rebaseRefusal } from '../../../lib/oci/rebase-check.ts';
import { rebasedImage } from '../../../lib/oci/rebased-image.ts';
import {
  parseReference,
  parseTag,
  printReference,
  type TagReference,
  withDigest,
  withTag,
} from '../../../lib/oci/reference.ts';
import { startFakeRegistry } from '../../support/fake-registry.ts';
import { someTag } from '../../support/registry-suite.ts';
import { type AnImage, storeImage } from '../../support/stored-image.ts';
import { rebaseWorld, registry, stack } from './rebase-world.ts';

const the = rebaseWorld();
const { store, rebase } = the;
const metadata = (topLayer: string): string =>
  JSON.stringify({
    app: [{ sha: 'x' }],
    runImage: { topLayer, reference: 'old', image: 'kept' },
    stack: { runImage: { image: 'r' } },
  });

const app = (more: AnImage = {}): AnImage => ({
  layers: ['old base', 'buildpack', 'app'],
  ...more,
  labels: { ...stack, 'io.buildpacks.lifecycle.metadata': metadata(digestOf('tar of old base')), ...more.labels },
});
describe('rebase', () => {
  it('03#158 03#195 puts the app’s layers on the new run image and keeps config, media types and annotations', async () => {
    store(app({ annotations: { a: 'kept' } }), {
      layers: ['new base 1', 'new base 2'],
      labels: { ...stack, 'io.buildpacks.stack.extra': 'new', other: 'no' },
    });
    const runBefore = await readImage(registry, the.run);
    const rebased = await rebase();
    const after = await readImage(registry, the.tag);
    expect(after).toMatchObject(rebased.content);
    expect(after.reference).toEqual(rebased.image);
    expect(after.diffIds).toEqual(
      ['new base 1', 'new base 2', 'buildpack', 'app'].map((name) => digestOf(`tar of ${name}`)),
    );
    expect(after.layers.map(({ digest }) => digest)).toEqual(
      ['new base 1', 'new base 2', 'buildpack', 'app'].map((name) => digestOf(name)),
    );
    expect(after.mediaType).toBe('application/vnd.oci.image.manifest.v1+json');
    expect(after.manifest['annotations']).toEqual({ a: 'kept' });
    expect(after.labels['io.buildpacks.stack.extra']).toBe('new');
    expect(after.labels['other']).toBeUndefined();
    expect(JSON.parse(after.labels['io.buildpacks.lifecycle.metadata'] ?? '')).toEqual({
      app: [{ sha: 'x' }],
      runImage: {
        topLayer: digestOf('tar of new base 2'),
        reference: printReference(runBefore.reference),
        image: 'kept',
      },
      stack: { runImage: { image: 'r' } },
    });
    expect(after.config['created']).toBe('1980-01-01T00:00:01Z');
  });

  it('takes four reads, a look at the tag, a mount per base layer, the config and the manifest, and no layer', async () => {
    store(app(), { layers: ['b1', 'b2'], labels: stack });
    await readImage(registry, the.tag);
    the.fake.clearRequests();
    await rebase();
    expect(the.fake.requests.map(({ method, path }) => `${method} ${/manifests|mount|blobs/.exec(path)?.[0]}`)).toEqual(
      [
        'GET manifests',
        'GET blobs',
        'GET manifests',
        'GET blobs',
        'HEAD manifests',
        'POST blobs',
        'POST blobs',
        'POST blobs',
        'PUT blobs',
        'PUT manifests',
      ],
    );
    expect(the.fake.requests.filter(({ path }) => path.includes('mount='))).toHaveLength(2);
  });

  it('of a hundred images of ten layers takes at most ten requests each, no layer, and no memory', async () => {
    const kernel = ['base', 'certificates', 'libraries'];
    const layers = ['old system', ...kernel].reverse();
    const own = ['launcher', 'jre', 'dependencies', 'classes', 'sbom', 'config'];
    const before = { 'io.buildpacks.lifecycle.metadata': metadata(digestOf('tar of old system')) };
    storeImage(the.fake.store, parseReference(printReference(the.run)), {
      layers: [...layers.slice(0, 3), 'new system'],
      labels: stack,
    });
    const tags = Array.from({ length: 100 }, () => someTag(the.fake.host));
    for (const [n, one] of tags.entries()) {
      storeImage(the.fake.store, one, {
        layers: [...layers, ...own],
        labels: { ...stack, ...before },
        env: [`N=${n}`],
      });
    }
    const configs = configCache();
    const rebaseOne = (one: TagReference) =>
      rebaseImage(
        { tags: registry, app: registry, runImage: registry },
        { app: one, runImage: the.run, tags: [one, withTag(one, 'b2')] },
        { configs: configs.of({ reader: 'somebody' }, the.run) },
      );
    await rebaseOne(tags[0] ?? the.tag);
    the.fake.clearRequests();
    const heapBefore = process.memoryUsage().heapUsed;
    for (const one of tags.slice(1)) await rebaseOne(one);
    expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(64 * 1024 * 1024);
    expect(the.fake.requests.length / 99).toBeLessThanOrEqual(10);
    const layerDigests = new Set([...layers, ...own, 'new system'].map((name) => digestOf(name)));
    const read = the.fake.requests.filter(({ method, path }) => method === 'GET' && path.includes('/blobs/'));
    expect(read.filter(({ path }) => layerDigests.has(path.split('/').at(-1) as Digest))).toEqual([]);
  });

  it('reads a run image’s config once for many apps', async () => {
    const known = new Map<string, Uint8Array>();
    const configs = {
      get: (digest: string) => known.get(digest),
      put: (digest: string, bytes: Uint8Array) => void known.set(digest, bytes),
    };
    const tags = [the.tag, someTag(the.fake.host), someTag(the.fake.host)];
    store(app(), { layers: ['b1'], labels: stack });
    for (const [n, one] of tags.entries()) storeImage(the.fake.store, one, app({ env: [`N=${n}`] }));
    the.fake.clearRequests();
    for (const one of tags)
      await rebaseImage(
        { tags: registry, app: registry, runImage: registry },
        { app: one, runImage: the.run, tags: [one] },
        { configs },
      );
    const reads = the.fake.requests.filter(
      ({ method, path }) => method === 'GET' && path.includes(`${the.run.path}/blobs`),
    );
    expect(reads).toHaveLength(1);
  });

  it('moves all tags, in other repositories too, and done again makes the same', async () => {
    store(app(), { layers: ['b1'], labels: stack });
    const tags = [the.tag, withTag(the.tag, 'v2'), someTag(the.fake.host)];
    const once = await rebase(tags);
    for (const one of tags) expect((await registry.headManifest(one))?.digest).toBe(once.image.digest);
    expect(await rebase(tags)).toEqual(once);
  });

  it('writes the tags it can and names those it cannot', async () => {
    store(app(), { layers: ['b1'], labels: stack });
    const bad = withTag(the.tag, 'bad');
    the.fake.addFault({ kind: 'status', status: 403, method: 'PUT', path: /manifests\/bad/ });
    await expect(rebase([bad, the.tag])).rejects.toMatchObject({
      code: 'denied',
      message: `failed to write image to the following tags: [${printReference(bad)}: PUT http://${the.fake.host}/v2/${the.tag.path}/manifests/bad: unexpected status code 403 Forbidden]`,
    });
    expect((await readImage(registry, the.tag)).diffIds[0]).toBe(digestOf('tar of b1'));
  });

  it('copies base layers from another registry with that one’s credentials', async () => {
    const other = await startFakeRegistry({ auth: { kind: 'basic', users: { u: 'p' } } });
    try {
      const there = someTag(other.host);
      storeImage(the.fake.store, the.tag, app());
      storeImage(other.store, there, { layers: ['far base'], labels: stack });
      const runImage = openRegistry({
        keychain: () => Promise.resolve({ kind: 'basic', username: 'u', password: 'p' }),
      });
      await rebaseImage(
        { tags: registry, app: registry, runImage },
        { app: the.tag, runImage: there, tags: [the.tag] },
      );
      expect(the.fake.store.repositories.get(the.tag.path)?.blobs.get(digestOf('far base'))?.toString()).toBe(
        'far base',
      );
    } finally {
      await other.close();
    }
  });
});

describe('rebase is refused', () => {
  const api = { env: ['CNB_PLATFORM_API=0.12'] };
  it.each<readonly [string, AnImage, AnImage, string]>([
    [
      'without a stack',
      { labels: { 'io.buildpacks.stack.id': '' } },
      { labels: stack },
      'stack not defined on app image',
    ],
    ['onto an image without a stack', {}, {}, 'stack not defined on new base image'],
    [
      'onto another stack',
      {},
      { labels: { 'io.buildpacks.stack.id': 'other' } },
      "incompatible stack: 'other' is not compatible with 'some.stack'",
    ],
    [
      'when mixins are missing',
      { labels: { 'io.buildpacks.stack.mixins': '["run:b","a","c"]' } },
      { labels: { ...stack, 'io.buildpacks.stack.mixins': '["c"]' } },
      'missing required mixin(s): a, b',
    ],
    [
      'when the app says so',
      { ...api, labels: { 'io.buildpacks.rebasable': 'false' } },
      {},
      'app image is not marked as rebasable',
    ],
    ['onto another architecture', api, { architecture: 'arm64' }, 'unable to satisfy target os/arch constraints'],
    [
      'onto another architecture, which lifecycles do not look at before Platform API 0.12',
      {},
      { architecture: 'arm64', labels: stack },
      'the new run image is for another platform',
    ],
    [
      'onto another distribution',
      api,
      { labels: { 'io.buildpacks.base.distro.name': 'x' } },
      'unable to satisfy target os/arch constraints',
    ],
    [
      '03#160 when the old base is unknown',
      { labels: { 'io.buildpacks.lifecycle.metadata': metadata('sha256:none') } },
      { labels: stack },
      'rebase app image: could not find base layer in image',
    ],
  ])('%s', async (_why, appImage, runImage, sentence) => {
    store(app(appImage), { layers: ['b1'], ...runImage });
    await expect(rebase()).rejects.toMatchObject({
      name: 'PermanentError',
      message: expect.stringContaining(sentence) as string,
    });
    expect(the.fake.store.repositories.get(the.tag.path)?.tags.size).toBe(1);
  });

  it('but allowed by Platform API 0.12 when the targets agree, whatever the stacks', async () => {
    store(app({ ...api, labels: { 'io.buildpacks.stack.id': '', 'io.buildpacks.base.distro.name': 'x' } }), {
      layers: ['b1'],
      labels: { 'io.buildpacks.base.distro.name': 'x' },
    });
    expect((await rebase()).image.digest).toMatch(/^sha256:/);
  });

  it('without tags', async () => {
    await expect(rebase([])).rejects.toThrow('must provide one or more image tags');
  });
});

describe('rebase of anything', () => {
  const reference = withDigest(parseTag('example.com/app:v1'), digestOf('manifest'));
  const descriptor = { mediaType: 'm', size: 1, digest: digestOf('blob') };
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constantFrom('{"runImage":{"topLayer":"a"}}', '{"runImage":"a"}', '0.12', '[]'),
  );
  const key = fc.constantFrom(
    'io.buildpacks.stack.id',
    'io.buildpacks.stack.mixins',
    'io.buildpacks.lifecycle.metadata',
    '__proto__',
    '10',
    '<&>',
  );
  const config = fc.record(
    {
      os: fc.oneof(text, fc.jsonValue()),
      history: fc.jsonValue(),
      rootfs: fc.record({ diff_ids: fc.array(fc.constantFrom('a', 'b')) }),
      config: fc.record({
        Labels: fc.dictionary(key, text),
        Env: fc.array(fc.constantFrom('CNB_PLATFORM_API=0.12', 'CNB_PLATFORM_API=x', '=')),
      }),
    },
    { requiredKeys: [] },
  );
  const image = fc
    .tuple(config, fc.nat({ max: 3 }))
    .map(([json, layers]) =>
      imageFrom(
        reference,
        'm',
        { config: descriptor, layers: Array.from({ length: layers }, () => descriptor) },
        JSON.parse(JSON.stringify(json)) as object as Json,
      ),
    );

  it('makes an image, the same each time, or says why not', () => {
    const attempt = (app: OciImage, run: OciImage): string => {
      try {
        return rebaseRefusal(app, run) ?? rebasedImage(app, run).digest;
      } catch (error) {
        return error instanceof Error ? error.name : 'thrown';
      }
    };
    fc.assert(
      fc.property(image, image, (app, run) => {
        const outcome = attempt(app, run);
        expect(outcome).toBe(attempt(app, run));
        expect(outcome).not.toMatch(/^(TypeError|RangeError|SyntaxError|Error)$/);
      }),
      { numRuns: 500 },
    );
  });
});
