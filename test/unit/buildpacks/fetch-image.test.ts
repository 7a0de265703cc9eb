import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configCache, fetchImage } from '../../../lib/buildpacks/fetch-image.ts';
import { openRegistry } from '../../../lib/oci/client.ts';
import { digestOf } from '../../../lib/oci/digest.ts';
import { dockerIndexType } from '../../../lib/oci/media-types.ts';
import { storeDockerImage } from '../../support/buildpack-images.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('reading an image', () => {
  let fake: FakeRegistry;

  const fetch = (name: string, cache = configCache()) =>
    fetchImage(openRegistry({ reader: 'somebody' }), `${fake.host}/${name}`, cache);

  beforeEach(async () => {
    fake = await startFakeRegistry();
  });
  afterEach(() => fake.close());

  it('04#124 names it by digest, and knows its manifest’s own bytes', async () => {
    const digest = storeDockerImage(fake, 'some/image:1', { labels: { a: 'b' }, layers: ['x'] });
    const image = await fetch('some/image:1');
    expect(image.identifier).toBe(`${fake.host}/some/image@${digest}`);
    expect(digestOf(image.raw.bytes)).toBe(digest);
    expect([image.labels, image.namedDigest]).toEqual([{ a: 'b' }, digest]);
  });

  it('04#128 takes the linux/amd64 child of an index, and remembers the index', async () => {
    const children = ['arm64', 'amd64'].map((architecture) => ({
      digest: storeDockerImage(fake, `some/image:${architecture}`, { architecture }),
      size: 1,
      platform: { os: 'linux', architecture },
    }));
    const index = bytesOf(JSON.stringify({ schemaVersion: 2, manifests: children }));
    const indexDigest = fake.store.putManifest('some/image', dockerIndexType, index, 'multi');
    const image = await fetch('some/image:multi');
    expect(image.identifier).toContain(children[1]?.digest);
    expect(image.namedDigest).toBe(indexDigest);
  });

  it('reads a config once, and manifests always', async () => {
    storeDockerImage(fake, 'some/image:1');
    const cache = configCache();
    await fetch('some/image:1', cache);
    fake.clearRequests();
    await fetch('some/image:1', cache);
    expect(fake.requests.filter(({ path }) => path.includes('/blobs/'))).toEqual([]);
    expect(fake.requests.filter(({ path }) => path.includes('/manifests/'))).toHaveLength(1);
  });

  it('04#8.8 remembers for each reader and repository what was read there, and for nobody who does not say who reads', () => {
    const cache = configCache();
    const place = { registry: 'r.example', path: 'team-a/app' };
    const digest = digestOf('secret');
    for (const who of [{ reader: 'team-a' }, {}]) cache.of(who, place).put(digest, new Uint8Array(1));
    expect(cache.of({ reader: 'team-a' }, place).get(digest)).toBeDefined();
    expect(cache.of({ reader: 'team-b' }, place).get(digest)).toBeUndefined();
    expect(cache.of({ reader: 'team-a' }, { ...place, path: 'team-b/app' }).get(digest)).toBeUndefined();
    expect(cache.of({}, place).get(digest)).toBeUndefined();
  });

  it('forgets the oldest configs when there are too many', () => {
    const cache = configCache(100).of({ reader: 'somebody' }, { registry: 'r.example', path: 'p' });
    for (const name of ['a', 'b', 'c', 'd', 'e']) cache.put(digestOf(name), new Uint8Array(25));
    cache.put(digestOf('large'), new Uint8Array(26));
    expect(['a', 'b', 'e', 'large'].map((name) => cache.get(digestOf(name)) !== undefined)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});
