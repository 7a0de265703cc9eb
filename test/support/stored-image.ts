/** Images put straight into a fake registry's store, from names of layers. */
import { ociConfigType, ociLayerType, ociManifestType } from '../../lib/oci/media-types.ts';
import type { TagReference } from '../../lib/oci/reference.ts';
import { parseTag, printReference, type Reference } from '../../lib/oci/reference.ts';
import { type FakeStore, sha256 } from './fake-registry-store.ts';

/** What a test wants of an image; a layer's content is its name, its diffID the digest of `tar of NAME`. */
export interface AnImage {
  readonly layers?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly env?: readonly string[];
  readonly architecture?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Stores it as an OCI image under the tag. */
export const storeImage = (
  store: FakeStore,
  name: TagReference | Reference,
  { layers = ['layer'], labels = {}, env = [], architecture = 'amd64', annotations }: AnImage,
): void => {
  const tag = parseTag(printReference(name));
  const config = Buffer.from(
    JSON.stringify({
      architecture,
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => sha256(Buffer.from(`tar of ${layer}`))) },
      config: { Env: env, Labels: labels },
    }),
  );
  const descriptor = (mediaType: string, bytes: Buffer): object => ({
    mediaType,
    size: bytes.byteLength,
    digest: store.putBlob(tag.path, bytes),
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: ociManifestType,
    config: descriptor(ociConfigType, config),
    layers: layers.map((layer) => descriptor(ociLayerType, Buffer.from(layer))),
    ...(annotations === undefined ? {} : { annotations }),
  };
  store.putManifest(tag.path, ociManifestType, Buffer.from(JSON.stringify(manifest)), tag.tag);
};
