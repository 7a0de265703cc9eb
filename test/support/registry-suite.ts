/** What any registry must do for our client: one suite, run over the fake and over real registries (test/contract/oci). */
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import type { Fetch } from '../../lib/egress/fetch.ts';
import { openRegistry } from '../../lib/oci/client.ts';
import { sourceOf } from '../../lib/oci/copy.ts';
import { digestOf } from '../../lib/oci/digest.ts';
import { isOciError } from '../../lib/oci/errors.ts';
import { replay } from '../../lib/oci/http.ts';
import { readImage } from '../../lib/oci/image.ts';
import type { Keychain } from '../../lib/oci/keychain.ts';
import {
  dockerLayerType,
  dockerManifestType,
  ociConfigType,
  ociIndexType,
  ociLayerType,
  ociManifestType,
} from '../../lib/oci/media-types.ts';
import { parseTag, type TagReference, withDigest, withTag } from '../../lib/oci/reference.ts';
import type { BlobSource, OpenUpload, Registry } from '../../lib/oci/registry.ts';

export interface Place {
  readonly host: string;
  readonly keychain?: Keychain;
  /** Size of pieces, when the registry takes only small requests. */
  readonly chunkBytes?: number;
  /** Instead of the platform's. */
  readonly fetch?: Fetch | undefined;
}

/** A blob of these bytes. */
export const blobOf = (bytes: Uint8Array): BlobSource => ({ ...replay(bytes), digest: digestOf(bytes) });

/** A repository no other test uses. */
export const someTag = (host: string): TagReference => parseTag(`${host}/test/${randomBytes(6).toString('hex')}:v1`);

/** Pushes a config and one layer with a manifest over them; the manifest's bytes. */
export const pushSomeImage = async (registry: Registry, tag: TagReference, oci = true): Promise<Uint8Array> => {
  const config = blobOf(
    Buffer.from(
      `{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"config":{},"n":"${randomBytes(4).toString('hex')}"}`,
    ),
  );
  const layer = blobOf(randomBytes(3000));
  await registry.pushBlob(tag, config);
  await registry.pushBlob(tag, layer);
  const manifest = {
    schemaVersion: 2,
    mediaType: oci ? ociManifestType : dockerManifestType,
    config: {
      mediaType: oci ? ociConfigType : 'application/vnd.docker.container.image.v1+json',
      size: config.size,
      digest: config.digest,
    },
    layers: [{ mediaType: oci ? ociLayerType : dockerLayerType, size: layer.size, digest: layer.digest }],
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  await registry.putManifest(tag, { mediaType: manifest.mediaType, bytes });
  return bytes;
};

const collect = async (chunks: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
};

/** Declares the suite's tests; `place` is called inside each. */
export const registrySuite = (place: () => Place): void => {
  const open = (): { registry: Registry; host: string } => {
    const { host, keychain, chunkBytes, fetch } = place();
    return { registry: openRegistry({ keychain, chunkBytes, transport: { fetch } }), host };
  };

  it.each([true, false])('takes an image and gives it back by tag and by digest (OCI: %s)', async (oci) => {
    const { registry, host } = open();
    const tag = someTag(host);
    const bytes = await pushSomeImage(registry, tag, oci);
    const byTag = await registry.getManifest(tag);
    expect(Buffer.from(byTag.bytes).equals(bytes)).toBe(true);
    expect(byTag.digest).toBe(digestOf(bytes));
    expect(byTag.mediaType).toBe(oci ? ociManifestType : dockerManifestType);
    expect(await registry.getManifest(withDigest(tag, byTag.digest))).toEqual(byTag);
    expect(await registry.headManifest(tag)).toEqual({
      mediaType: byTag.mediaType,
      digest: byTag.digest,
      size: bytes.byteLength,
    });
  });

  it('says that a manifest is absent', async () => {
    const { registry, host } = open();
    const tag = someTag(host);
    expect(await registry.headManifest(tag)).toBeUndefined();
    await expect(registry.getManifest(tag)).rejects.toMatchObject({ code: 'not-found', status: 404, pace: 'slow' });
  });

  it('takes a blob of several megabytes and streams it back', async () => {
    const { registry, host } = open();
    const tag = someTag(host);
    const bytes = randomBytes(5_000_001);
    const blob = blobOf(bytes);
    expect(await registry.hasBlob(tag, blob.digest)).toBe(false);
    expect(await registry.pushBlob(tag, blob)).toBe('uploaded');
    expect(await registry.hasBlob(tag, blob.digest)).toBe(true);
    expect((await collect(registry.openBlob(tag, blob))).equals(bytes)).toBe(true);
  });

  it('takes a blob over several sittings, its rest read from where the last one stopped', async () => {
    const { host, keychain, fetch } = place();
    const registry = openRegistry({ keychain, chunkBytes: 100_000, transport: { fetch } });
    const [from, to] = [someTag(host), someTag(host)];
    const blob = blobOf(randomBytes(250_000));
    await registry.pushBlob(from, blob);
    const source = sourceOf(registry, blob, { repository: from });
    const sat: (OpenUpload | undefined)[] = [];
    const sit = async (upload: OpenUpload | undefined): Promise<void> => {
      sat.push(await registry.pushBlobInSittings(to, source, { seconds: 0, upload }));
    };
    for (let n = 0; n < 3; n += 1) await sit(sat.at(-1));
    expect(sat.map((upload) => upload?.sentBytes)).toEqual([100_000, 200_000, undefined]);
    expect(await registry.hasBlob(to, blob.digest)).toBe(true);
    // One that is not known any more is begun anew.
    await sit(sat[0]);
    expect(sat.at(-1)?.sentBytes).toBe(100_000);
  });

  it('takes an empty blob', async () => {
    const { registry, host } = open();
    const tag = someTag(host);
    const blob = blobOf(new Uint8Array());
    await registry.pushBlob(tag, blob);
    expect((await registry.readBlob(tag, blob)).byteLength).toBe(0);
  });

  it('links a blob from a neighbouring repository without a byte sent', async () => {
    const { registry, host } = open();
    const [from, to] = [someTag(host), someTag(host)];
    const blob = blobOf(randomBytes(1000));
    await registry.pushBlob(from, blob);
    expect(await registry.mountBlob(to, blob.digest, from)).toBe(true);
    expect(await registry.hasBlob(to, blob.digest)).toBe(true);
    expect(await registry.pushBlob(someTag(host), blob, { mountFrom: from })).toBe('mounted');
  });

  it('uploads what cannot be linked', async () => {
    const { registry, host } = open();
    const [from, to] = [someTag(host), someTag(host)];
    const blob = blobOf(randomBytes(1000));
    expect(await registry.mountBlob(to, blob.digest, from)).toBe(false);
    expect(await registry.pushBlob(to, blob, { mountFrom: from })).toBe('uploaded');
    expect(await registry.hasBlob(to, blob.digest)).toBe(true);
  });

  it('lists tags over several pages and none of an unknown repository', async () => {
    const { registry, host } = open();
    const tag = someTag(host);
    const bytes = await pushSomeImage(registry, tag);
    const names = Array.from({ length: 5 }, (_, n) => `t${n}`);
    for (const name of names) await registry.putManifest(withTag(tag, name), { mediaType: ociManifestType, bytes });
    expect([...(await registry.listTags(tag))].sort()).toEqual([...names, 'v1']);
    expect(await registry.listTags(tag, { limit: 2 })).toHaveLength(2);
    expect(await registry.listTags(someTag(host))).toEqual([]);
  });

  it('removes a manifest by digest with its tags, and does not mind that it is gone', async () => {
    const { registry, host } = open();
    const tag = someTag(host);
    const digest = digestOf(await pushSomeImage(registry, tag));
    await registry.deleteManifest(withDigest(tag, digest));
    expect(await registry.headManifest(tag)).toBeUndefined();
    await registry.deleteManifest(withDigest(tag, digest));
  });

  it('takes a manifest without layers', async () => {
    const { registry, host } = open();
    const tag = someTag(host);
    const config = blobOf(Buffer.from('{}'));
    await registry.pushBlob(tag, config);
    const manifest = {
      schemaVersion: 2,
      mediaType: ociManifestType,
      config: { mediaType: ociConfigType, size: config.size, digest: config.digest },
      layers: [],
    };
    const bytes = Buffer.from(JSON.stringify(manifest));
    expect(await registry.putManifest(tag, { mediaType: ociManifestType, bytes })).toBe(digestOf(bytes));
  });

  it('takes an index over images, by tag and by digest', async () => {
    const { registry, host } = open();
    const tag = someTag(host);
    const child = await pushSomeImage(registry, tag);
    const platform = { os: 'linux', architecture: 'arm64' };
    const manifests = [{ mediaType: ociManifestType, size: child.byteLength, digest: digestOf(child), platform }];
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: ociIndexType, manifests }));
    const digest = await registry.putManifest(withTag(tag, 'index'), { mediaType: ociIndexType, bytes });
    expect(await registry.getManifest(withDigest(tag, digest))).toMatchObject({ mediaType: ociIndexType, digest });
    expect((await readImage(registry, withTag(tag, 'index'), { platform })).reference.digest).toBe(digestOf(child));
  });

  it('removes a tag alone, or says that it removes none', async () => {
    const { registry, host } = open();
    const tag = someTag(host);
    const bytes = await pushSomeImage(registry, tag);
    await registry.putManifest(withTag(tag, 'v2'), { mediaType: ociManifestType, bytes });
    const refused = await registry.deleteManifest(withTag(tag, 'v2')).then(
      () => false,
      (error: unknown) => isOciError(error, 'rejected'),
    );
    const left = await registry.headManifest(withTag(tag, 'v2'));
    expect(refused ? left?.digest : left).toBe(refused ? digestOf(bytes) : undefined);
    expect((await registry.headManifest(tag))?.digest).toBe(digestOf(bytes));
  });

  it('removes a blob, and does not mind that it is gone', async () => {
    const { registry, host } = open();
    const tag = someTag(host);
    const blob = blobOf(randomBytes(100));
    await registry.pushBlob(tag, blob);
    await registry.deleteBlob(tag, blob.digest);
    expect(await registry.hasBlob(tag, blob.digest)).toBe(false);
    await registry.deleteBlob(tag, blob.digest);
  });

  it('answers a wrong blob name with not-found', async () => {
    const { registry, host } = open();
    const tag = someTag(host);
    await pushSomeImage(registry, tag);
    await expect(registry.readBlob(tag, { digest: digestOf('nothing'), size: 7 })).rejects.toMatchObject({
      code: 'not-found',
    });
  });
};
