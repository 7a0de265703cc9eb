import { openRegistry } from '../../../lib/oci/client.ts';
import { digestOf } from '../../../lib/oci/digest.ts';
import { replay } from '../../../lib/oci/http.ts';
import type { Keychain } from '../../../lib/oci/keychain.ts';
import { dockerManifestType } from '../../../lib/oci/media-types.ts';
import { parseTag, repositoryOf } from '../../../lib/oci/reference.ts';
import type { LocalImage } from './image.ts';

/**
 * Stores an image in a registry (`host:port`) under its own name and tag; blobs that are there already stay.
 * Answers the reference by digest.
 * @throws OciError when the registry is down or refuses.
 */
export const pushImage = async (host: string, image: LocalImage, keychain?: Keychain): Promise<string> => {
  const registry = openRegistry(keychain === undefined ? {} : { keychain });
  const tag = parseTag(`${host}/${image.name}`);
  const repository = repositoryOf(tag);
  for (const bytes of [image.config, ...image.layers.map(({ blob }) => blob)]) {
    const digest = digestOf(bytes);
    if (await registry.hasBlob(repository, digest)) continue;
    await registry.pushBlob(repository, { digest, ...replay(bytes) });
  }
  const digest = await registry.putManifest(tag, { mediaType: dockerManifestType, bytes: image.manifest });
  return `${host}/${repository.path}@${digest}`;
};
