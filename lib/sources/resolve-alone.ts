/** Sources that are what they say: nobody has to be asked, so whoever makes the SourceResolver can answer for it. Pure. */
import type { ResolvedSourceConfig } from '../api/source-config.ts';
import type { SourceResolver } from '../api/source-resolver.ts';
import { controllerOf } from '../kube/object.ts';
import { askedSeconds } from './poll-interval.ts';
import { resolvedBlob } from './resolve-blob.ts';
import { resolvedRegistry } from './resolve-registry.ts';

/** How long a new SourceResolver is left to the Image whose pass made it and is about to answer for it, in seconds. */
export const makersSeconds = 2;

/** Whether its maker is just about to say what it resolves to: both saying it would cost a refused write. */
export const isAnsweredByMaker = (resolver: SourceResolver, now: Date): boolean => {
  const age = now.getTime() - Date.parse(resolver.metadata.creationTimestamp ?? '');
  return (
    resolver.status?.conditions === undefined &&
    age < makersSeconds * 1000 &&
    controllerOf(resolver)?.kind === 'Image' &&
    resolvedAlone(resolver) !== undefined
  );
};

/** A blob or an image of a registry that is not followed, resolved; undefined for whatever a host has to be asked about. */
export const resolvedAlone = ({ metadata, spec }: SourceResolver): ResolvedSourceConfig | undefined => {
  const { git, blob, registry, subPath } = spec.source;
  if (git !== undefined || (askedSeconds(metadata.annotations) ?? 0) > 0) return undefined;
  if (blob !== undefined) return { blob: resolvedBlob(blob, subPath) };
  return registry === undefined ? undefined : { registry: resolvedRegistry(registry, subPath) };
};
