/** Pushes an image whose layers are files: that of the step programs, that of the relay. */
import { createReadStream } from 'node:fs';
import { openRegistry } from '../../../lib/oci/client.ts';
import { digestOf, parseDigest } from '../../../lib/oci/digest.ts';
import { replay } from '../../../lib/oci/http.ts';
import type { Keychain } from '../../../lib/oci/keychain.ts';
import { parseTag, printRepository, repositoryOf } from '../../../lib/oci/reference.ts';
import type { StepImage } from '../../step-image/build.ts';

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const configType = 'application/vnd.oci.image.config.v1+json';

/** Pushes it as `reference` (by tag); gives the reference by digest. Layers that are there already are not sent again. */
export const pushStepImage = async (reference: string, image: StepImage, keychain?: Keychain): Promise<string> => {
  const registry = openRegistry({ keychain });
  const tag = parseTag(reference);
  const repository = repositoryOf(tag);
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
  const bytes = Buffer.from(JSON.stringify(manifest));
  const digest = await registry.putManifest(tag, { mediaType: manifestType, bytes });
  return `${printRepository(repository)}@${digest}`;
};
