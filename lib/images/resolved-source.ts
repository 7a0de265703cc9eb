/** A SourceResolver's answer, turned back into the source of a Build (spec 01 §3.3). */
import type { ResolvedSourceConfig, SourceConfig } from '../api/source-config.ts';
import type { SourceResolver } from '../api/source-resolver.ts';
import { isTrue } from '../reconcile/conditions.ts';

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

/** The resolved source, once the resolver is Ready for its current spec; undefined before. */
export const readySource = (resolver: SourceResolver): ResolvedSourceConfig | undefined =>
  isTrue(resolver, 'Ready') && resolver.metadata.generation === resolver.status?.observedGeneration
    ? resolver.status?.source
    : undefined;
