import { packTar } from 'modern-tar';

import { type Digest, digestOf, hexOf } from '../../../lib/oci/digest.ts';
import { dockerManifestType, ociIndexType } from '../../../lib/oci/media-types.ts';
import type { LocalImage } from './image.ts';

/** The image as an OCI image layout in a tar, for `ctr images import`; `reference` is the full name it gets there. */
export const imageArchive = (image: LocalImage, reference: string): Promise<Uint8Array> => {
  const file = (name: string, body: Uint8Array) => ({
    header: { name, size: body.length, mode: 0o644, mtime: new Date(0), uid: 0, gid: 0, uname: '', gname: '' },
    body,
  });
  const blob = (digest: Digest, body: Uint8Array) => file(`blobs/sha256/${hexOf(digest)}`, body);
  const index = {
    schemaVersion: 2,
    mediaType: ociIndexType,
    manifests: [
      {
        mediaType: dockerManifestType,
        digest: image.digest,
        size: image.manifest.length,
        annotations: { 'io.containerd.image.name': reference },
      },
    ],
  };
  const encode = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  return packTar([
    file('oci-layout', encode({ imageLayoutVersion: '1.0.0' })),
    file('index.json', encode(index)),
    blob(image.digest, image.manifest),
    blob(digestOf(image.config), image.config),
    ...image.layers.map((layer) => blob(layer.digest, layer.blob)),
  ]);
};
