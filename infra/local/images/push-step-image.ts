/** Pushes an image whose layers are files: that of the step programs, that of the relay. */
import { createReadStream } from 'node:fs';
import { openRegistry } from '../../../lib/oci/client.ts';
import { type Digest, digestOf, parseDigest } from '../../../lib/oci/digest.ts';
import { replay } from '../../../lib/oci/http.ts';
import type { Keychain } from '../../../lib/oci/keychain.ts';
import { parseTag, printRepository, type Repository, repositoryOf, withDigest } from '../../../lib/oci/reference.ts';
import type { Registry } from '../../../lib/oci/registry.ts';
import type { StepImage } from '../../step-image/build.ts';

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';
const configType = 'application/vnd.oci.image.config.v1+json';

/** A manifest as an index names it. */
interface PlatformManifest {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly platform: { readonly architecture: string; readonly os: string };
}

/** Sends layers and configuration; gives the manifest's bytes. Layers that are there already are not sent again. */
const pushContent = async (registry: Registry, repository: Repository, image: StepImage): Promise<Buffer> => {
  for (const layer of image.layers) {
    const digest = parseDigest(layer.digest);
    if (await registry.hasBlob(repository, digest)) continue;
    await registry.pushBlob(repository, { digest, size: layer.size, open: () => createReadStream(layer.path) });
  }
  const config = Buffer.from(JSON.stringify(image.config));
  const configDigest = digestOf(config);
  if (!(await registry.hasBlob(repository, configDigest)))
    await registry.pushBlob(repository, { digest: configDigest, ...replay(config) });
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: { mediaType: configType, digest: configDigest, size: config.byteLength },
    layers: image.layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
  };
  return Buffer.from(JSON.stringify(manifest));
};

/** Pushes one image as `reference` (by tag); gives the reference by digest. */
export const pushStepImage = async (reference: string, image: StepImage, keychain?: Keychain): Promise<string> => {
  const registry = openRegistry({ keychain });
  const tag = parseTag(reference);
  const repository = repositoryOf(tag);
  const bytes = await pushContent(registry, repository, image);
  const digest = await registry.putManifest(tag, { mediaType: manifestType, bytes });
  return `${printRepository(repository)}@${digest}`;
};

/** Pushes images of several processors as one index, from which each node takes its own; gives the reference by digest. */
export const pushPlatforms = async (
  reference: string,
  images: readonly StepImage[],
  keychain?: Keychain,
): Promise<string> => {
  const registry = openRegistry({ keychain });
  const tag = parseTag(reference);
  const repository = repositoryOf(tag);
  const manifests: PlatformManifest[] = [];
  for (const image of images) {
    const bytes = await pushContent(registry, repository, image);
    const digest = digestOf(bytes);
    await registry.putManifest(withDigest(repository, digest), { mediaType: manifestType, bytes });
    const { architecture, os } = image.config;
    manifests.push({ mediaType: manifestType, digest, size: bytes.byteLength, platform: { architecture, os } });
  }
  const index = { schemaVersion: 2, mediaType: indexType, manifests };
  const bytes = Buffer.from(JSON.stringify(index));
  const digest = await registry.putManifest(tag, { mediaType: indexType, bytes });
  return `${printRepository(repository)}@${digest}`;
};
