/**
 * A builder image that is there already stays when the one that would take its place differs in nothing but who made it: another release of
 * kpackless, or kpack before a migration. Its digest then goes on meaning its content, and what was built or failed with it is not built again
 * for the sake of a release (docs/migration.md).
 */
import type { BuilderStatus } from '../api/builder.ts';

import { type ConfigCache, fetchImage } from '../buildpacks/fetch-image.ts';
import { builderMetadataLabel } from '../buildpacks/labels.ts';
import { isOciError } from '../oci/errors.ts';
import { type Json, recordIn } from '../oci/image-json.ts';
import type { TagReference } from '../oci/reference.ts';
import type { RawManifest, Registry } from '../oci/registry.ts';
import { stableJson } from '../text/stable-json.ts';
import { withBoth } from './target.ts';

/** The label without the release; one that is no JSON is compared as it is. */
const metadataWithoutMaker = (label: unknown): unknown => {
  if (typeof label !== 'string') return label;
  try {
    const metadata: unknown = JSON.parse(label);
    return typeof metadata === 'object' && metadata !== null ? { ...metadata, createdBy: undefined } : metadata;
  } catch {
    return label;
  }
};

/** What is in a builder image of this config, as one text: layers by the digests of what they unpack to, labels, environment; not who made it. */
export const builderContent = (config: Json): string => {
  const inner = recordIn(config, 'config');
  const labels = recordIn(inner, 'Labels');
  return stableJson({
    ...config,
    config: {
      ...inner,
      Labels: { ...labels, [builderMetadataLabel]: metadataWithoutMaker(labels[builderMetadataLabel]) },
    },
  });
};

/** How a registry is read. */
interface Reading {
  readonly registry: Registry;
  readonly configs: ConfigCache;
  readonly signal: AbortSignal;
}

/**
 * The manifest of the image that the status names, when it still lies under its tag and its content is `content`; undefined when another is to be
 * pushed, also over one that is none. @throws OciError when the registry does not say
 */
export const keptImage = async (
  { latestImage }: BuilderStatus,
  target: TagReference,
  content: string,
  { registry, configs, signal }: Reading,
): Promise<RawManifest | undefined> => {
  const found = latestImage === undefined ? undefined : await registry.headManifest(target, { signal });
  if (latestImage === undefined || found === undefined || withBoth(target, found.digest) !== latestImage)
    return undefined;
  try {
    const { raw, config, namedDigest } = await fetchImage(registry, latestImage, configs, { signal });
    // Of an index only the child was read: what it is made for is another question.
    return namedDigest === raw.digest && builderContent(config) === content ? raw : undefined;
  } catch (error) {
    if (isOciError(error, 'not-found') || isOciError(error, 'invalid-content')) return undefined;
    throw error;
  }
};
