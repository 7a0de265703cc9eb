/** From a lifecycle image to the resolved fields of a ClusterLifecycle (spec 04 §6.3). */
import type { ResolvedLifecycle } from '../api/lifecycle.ts';
import { lifecycleApisLabelOf, lifecycleMetadataLabelOf } from './labels.ts';
import type { ReadableImage } from './readable-image.ts';

const listOrNull = (versions: readonly string[]): readonly string[] | null => (versions.length > 0 ? versions : null);

/** The resolved lifecycle; empty API lists are null, as kpack writes them. Throws PermanentError when a label is missing or malformed. */
export const lifecycleOf = (image: string, content: ReadableImage): ResolvedLifecycle => {
  const { lifecycle, api } = lifecycleMetadataLabelOf(content);
  const { buildpack, platform } = lifecycleApisLabelOf(content);
  return {
    image: { latestImage: content.identifier, image },
    ...(lifecycle.version && { version: lifecycle.version }),
    api: { ...(api.buildpack && { buildpack: api.buildpack }), ...(api.platform && { platform: api.platform }) },
    apis: {
      buildpack: { deprecated: listOrNull(buildpack.deprecated), supported: listOrNull(buildpack.supported) },
      platform: { deprecated: listOrNull(platform.deprecated), supported: listOrNull(platform.supported) },
    },
  };
};

const noVersions = { deprecated: null, supported: null };

/** What kpack writes of a lifecycle it knows nothing of. */
export const unresolvedLifecycle: ResolvedLifecycle = {
  image: {},
  api: {},
  apis: { buildpack: noVersions, platform: noVersions },
};
