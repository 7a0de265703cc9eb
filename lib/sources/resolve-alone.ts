/** Sources that are what they say: nobody has to be asked, so whoever makes the SourceResolver can answer for it. Pure. */
import type { ResolvedSourceConfig } from '../api/source-config.ts';
import type { SourceResolver } from '../api/source-resolver.ts';
import { askedSeconds } from './poll-interval.ts';
import { resolvedBlob } from './resolve-blob.ts';
import { resolvedRegistry } from './resolve-registry.ts';

/** A blob or an image of a registry that is not followed, resolved; undefined for whatever a host has to be asked about. */
export const resolvedAlone = ({ metadata, spec }: SourceResolver): ResolvedSourceConfig | undefined => {
  const { git, blob, registry, subPath } = spec.source;
  if (git !== undefined || (askedSeconds(metadata.annotations) ?? 0) > 0) return undefined;
  if (blob !== undefined) return { blob: resolvedBlob(blob, subPath) };
  return registry === undefined ? undefined : { registry: resolvedRegistry(registry, subPath) };
};
