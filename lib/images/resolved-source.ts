/** A SourceResolver's answer, turned back into the source of a Build (spec 01 §3.3). */
import type { ResolvedSourceConfig, SourceConfig } from '../api/source-config.ts';
import type { SourceResolver } from '../api/source-resolver.ts';
import { conditionOf } from '../reconcile/conditions.ts';

const withSubPath = (source: SourceConfig, subPath: string | undefined): SourceConfig =>
  subPath === undefined || subPath === '' ? source : { ...source, subPath };

/** Everything but `tree` and `type`; `subPath` moves up. stripComponents is carried, which kpack loses (DESIGN §4). */
export const sourceOf = ({ git, blob, registry }: ResolvedSourceConfig): SourceConfig => {
  if (git !== undefined) {
    const { type: _type, tree: _tree, subPath, ...rest } = git;
    return withSubPath({ git: rest }, subPath);
  }
  if (blob !== undefined) {
    const { subPath, ...rest } = blob;
    return withSubPath({ blob: rest }, subPath);
  }
  if (registry !== undefined) {
    const { subPath, ...rest } = registry;
    return withSubPath({ registry: rest }, subPath);
  }
  return {};
};

/**
 * The source to build from; undefined while there is none for the resolver's current spec. A host that is down for a while (Ready
 * Unknown) holds nothing back: what the same spec resolved to last is built, as kpack does. Once somebody has to act (Ready False:
 * the branch is gone, the key refused), nothing is built until they have. A resolver's status keeps no source of an older spec.
 */
export const readySource = (resolver: SourceResolver): ResolvedSourceConfig | undefined => {
  const ready = conditionOf(resolver, 'Ready')?.status;
  const isCurrent = resolver.metadata.generation === resolver.status?.observedGeneration;
  return isCurrent && (ready === 'True' || ready === 'Unknown') ? resolver.status?.source : undefined;
};
