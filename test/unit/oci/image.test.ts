import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRegistry } from '../../../lib/oci/client.ts';
import { copyBlob } from '../../../lib/oci/copy.ts';
import { digestOf } from '../../../lib/oci/digest.ts';
import { isOciError } from '../../../lib/oci/errors.ts';
import { readImage } from '../../../lib/oci/image.ts';
import { dockerIndexType, ociIndexType, ociManifestType } from '../../../lib/oci/media-types.ts';
import { parseOrdered } from '../../../lib/oci/ordered-json.ts';
import { parseRepository, printReference, withDigest, withTag } from '../../../lib/oci/reference.ts';
import { goJson } from '../../../lib/text/go-json.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import { sha256 } from '../../support/fake-registry-store.ts';
import { blobOf, someTag } from '../../support/registry-suite.ts';

let fake: FakeRegistry;
beforeAll(async () => {
  fake = await startFakeRegistry();
});
afterAll(() => fake.close());

const registry = openRegistry({ retry: { firstWaitMs: 1 } });
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** Stores an image for a platform and answers its descriptor. */
const storeImage = (
  path: string,
  architecture: string,
  tag?: string,
): { digest: string; size: number; mediaType: string } => {
  const config = json({
    architecture,
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [digestOf('tar')] },
    config: { Env: ['A=b'], Labels: { l: 'v' } },
  });
  const layer = Buffer.from('layer');
  const manifest = json({
    schemaVersion: 2,
    mediaType: ociManifestType,
    config: { mediaType: 'c', digest: fake.store.putBlob(path, config), size: config.byteLength },
    layers: [{ mediaType: 'l', digest: fake.store.putBlob(path, layer), size: layer.byteLength }],
  });
  return {
    digest: fake.store.putManifest(path, ociManifestType, manifest, tag),
    size: manifest.byteLength,
    mediaType: ociManifestType,
  };
};
const storeIndex = (path: string, type: string, manifests: readonly object[]): string =>
  fake.store.putManifest(path, type, json({ schemaVersion: 2, mediaType: type, manifests }), 'index');
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'fulfilled',
    (error: unknown) => (isOciError(error) ? error.code : `another error: ${String(error)}`),
  );

describe('reading an image', () => {
  it('04#124 by tag and by digest gives the same image, named by digest', async () => {
    const tag = someTag(fake.host);
    const { digest } = storeImage(tag.path, 'amd64', 'v1');
    const image = await readImage(registry, tag);
    expect(printReference(image.reference)).toBe(`${fake.host}/${tag.path}@${digest}`);
    expect(image).toMatchObject({
      labels: { l: 'v' },
      env: ['A=b'],
      diffIds: [digestOf('tar')],
      platform: { os: 'linux', architecture: 'amd64' },
    });
    expect(await readImage(registry, image.reference)).toEqual(image);
  });

  it.each([dockerIndexType, ociIndexType])('04#128 takes the linux/amd64 child of an index (%s)', async (type) => {
    const tag = someTag(fake.host);
    const [arm, amd] = [storeImage(tag.path, 'arm64'), storeImage(tag.path, 'amd64')];
    storeIndex(tag.path, type, [
      { ...arm, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
      { ...amd, platform: { os: 'linux', architecture: 'amd64' } },
    ]);
    const index = withTag(tag, 'index');
    const image = await readImage(registry, index);
    expect([image.reference.digest, image.raw.digest]).toEqual([amd.digest, amd.digest]);
    expect(image.namedDigest).toBe((await registry.headManifest(index))?.digest);
    const forArm = await readImage(registry, index, { platform: { os: 'linux', architecture: 'arm64' } });
    expect(forArm.reference.digest).toBe(arm.digest);
    expect(forArm.platform.architecture).toBe('arm64');
  });

  it('takes of several children for an architecture the one of the variant, else the first', async () => {
    const { path } = someTag(fake.host);
    const [v6, v7] = ['arm', 'arm64'].map((architecture) => storeImage(path, architecture));
    storeIndex(path, ociIndexType, [
      { ...v6, platform: { os: 'linux', architecture: 'arm', variant: 'v6' } },
      { ...v7, platform: { os: 'linux', architecture: 'arm', variant: 'v7' } },
    ]);
    const index = withTag(parseRepository(`${fake.host}/${path}`), 'index');
    const digestFor = async (variant?: string) => {
      const platform = { os: 'linux', architecture: 'arm', ...(variant !== undefined && { variant }) };
      return (await readImage(registry, index, { platform })).reference.digest;
    };
    expect(await digestFor('v7')).toBe(v7?.digest);
    expect([await digestFor(), await digestFor(''), await digestFor('v5')]).toEqual(
      [v6, v6, v6].map((one) => one?.digest),
    );
  });

  it('takes a child without platform for linux/amd64', async () => {
    const tag = someTag(fake.host);
    const amd = storeImage(tag.path, 'amd64');
    storeIndex(tag.path, ociIndexType, [amd]);
    expect((await readImage(registry, withTag(tag, 'index'))).reference.digest).toBe(amd.digest);
  });

  it('04#128 says that an index has no such child', async () => {
    const tag = someTag(fake.host);
    storeIndex(tag.path, ociIndexType, [
      { ...storeImage(tag.path, 'arm64'), platform: { os: 'linux', architecture: 'arm64' } },
    ]);
    const work = readImage(registry, withTag(tag, 'index'));
    await expect(work).rejects.toThrow(`no child with platform linux/amd64 in index ${fake.host}/${tag.path}:index`);
    expect(await codeOf(work)).toBe('invalid-content');
  });

  it('does not follow an index into an index', async () => {
    const tag = someTag(fake.host);
    const inner = storeIndex(tag.path, ociIndexType, []);
    storeIndex(tag.path, ociIndexType, [{ digest: inner, size: 1, mediaType: ociIndexType }]);
    expect(await codeOf(readImage(registry, withTag(tag, 'index')))).toBe('invalid-content');
  });

  it('of any bytes fails as invalid content', async () => {
    const tag = someTag(fake.host);
    const digest = digestOf('x');
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom(digest, 3, -1, [], {}));
    const descriptor = fc.oneof(value, fc.record({ digest: value, size: value, mediaType: value }));
    const manifest = fc.record(
      {
        schemaVersion: value,
        config: descriptor,
        layers: fc.oneof(value, fc.array(descriptor)),
        manifests: fc.array(descriptor),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(
        manifest,
        fc.constantFrom(ociManifestType, ociIndexType, 'text/plain'),
        async (content, type) => {
          const bytes = json(content);
          fake.store.putManifest(tag.path, type, bytes);
          const reference = withDigest(tag, digestOf(bytes));
          expect(['invalid-content', 'not-found']).toContain(await codeOf(readImage(registry, reference)));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('refuses a config that is none, and one too long, before reading it', async () => {
    const tag = someTag(fake.host);
    const config = Buffer.from('[]');
    const put = (size: number): void => {
      fake.store.putManifest(
        tag.path,
        ociManifestType,
        json({ config: { digest: fake.store.putBlob(tag.path, config), size } }),
        'v1',
      );
    };
    put(config.byteLength);
    expect(await codeOf(readImage(registry, tag))).toBe('invalid-content');
    put(1e9);
    expect(await codeOf(readImage(registry, tag))).toBe('invalid-content');
  });
});

describe('copying a blob', () => {
  it('costs nothing within a repository, one request within a registry', async () => {
    const [from, to] = [someTag(fake.host), someTag(fake.host)];
    const blob = blobOf(Buffer.from('content'));
    fake.store.putBlob(from.path, Buffer.from('content'));
    fake.clearRequests();
    expect(await copyBlob(registry, blob, { repository: from }, from)).toBe('present');
    expect(fake.requests).toEqual([]);
    expect(await copyBlob(registry, blob, { repository: from }, to)).toBe('mounted');
    expect(fake.requests.map(({ method }) => method)).toEqual(['POST']);
  });

  it('streams between registries, each with its own credentials, and only once', async () => {
    const other = await startFakeRegistry({ auth: { kind: 'basic', users: { a: 'b' } } });
    try {
      const from = parseRepository(`${other.host}/from/here`);
      const to = someTag(fake.host);
      const bytes = Buffer.alloc(300_000, 'x');
      other.store.putBlob(from.path, bytes);
      const source = openRegistry({ keychain: () => Promise.resolve({ kind: 'basic', username: 'a', password: 'b' }) });
      expect(await copyBlob(registry, blobOf(bytes), { repository: from, registry: source }, to)).toBe('uploaded');
      expect(fake.store.repositories.get(to.path)?.blobs.get(sha256(bytes))?.equals(bytes)).toBe(true);
      expect(await copyBlob(registry, blobOf(bytes), { repository: from, registry: source }, to)).toBe('present');
    } finally {
      await other.close();
    }
  });

  it('is begun anew when the source breaks off', async () => {
    const other = await startFakeRegistry();
    try {
      const from = parseRepository(`${other.host}/from/here`);
      const bytes = Buffer.alloc(300_000, 'y');
      other.store.putBlob(from.path, bytes);
      other.addFault({ kind: 'truncate', path: /blobs/ });
      expect(await copyBlob(registry, blobOf(bytes), { repository: from }, someTag(fake.host))).toBe('uploaded');
    } finally {
      await other.close();
    }
  });
});

describe('JSON in its own order', () => {
  it('prints as it was printed', () => {
    const text = '{"10":1,"9":[true,null,{"b":"\\u003c","a":-1.5}],"__proto__":{}}';
    expect(goJson(parseOrdered(text, 'it'))).toBe(text);
  });

  it('means what JSON.parse says', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(JSON.parse(goJson(parseOrdered(text, 'it')))).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each(['', '{', '[1,]', '{"a" 1}', '{a:1}', '1 2', '"\n"', `${'['.repeat(200)}${']'.repeat(200)}`])(
    'refuses %j',
    (text) => {
      expect(() => parseOrdered(text, 'it')).toThrow('it is not JSON at character');
    },
  );
});
