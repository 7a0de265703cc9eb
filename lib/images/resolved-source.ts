/** A SourceResolver's answer, turned back into the source of a Build (spec 01 §3.3). */
import type { ConditionStatus } from '../api/condition.ts';
import type { ResolvedSourceConfig, SourceConfig } from '../api/source-config.ts';
import type { SourceResolver } from '../api/source-resolver.ts';
import { conditionOf, isFalse } from '../reconcile/conditions.ts';

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

/** Whether its status is of the spec it has now. */
const isCurrent = ({ metadata, status }: SourceResolver): boolean => metadata.generation === status?.observedGeneration;

/**
 * The source to build from; undefined while there is none for the resolver's current spec. A host that is down for a while (Ready
 * Unknown) holds nothing back: what the same spec resolved to last is built, as kpack does. Once somebody has to act (Ready False:
 * the branch is gone, the key refused), nothing is built until they have. A resolver's status keeps no source of an older spec.
 */
export const readySource = (resolver: SourceResolver): ResolvedSourceConfig | undefined => {
  const ready = conditionOf(resolver, 'Ready')?.status;
  return isCurrent(resolver) && (ready === 'True' || ready === 'Unknown') ? resolver.status?.source : undefined;
};

/**
 * Whether there is a source to build from: Unknown while the resolver has not looked or waits for a host, False once somebody has to act. Whoever
 * waits for the Image, as `kp … --wait` does, waits as long as it is Unknown.
 */
export const sourceReadiness = (resolver: SourceResolver): ConditionStatus => {
  if (readySource(resolver) !== undefined) return 'True';
  return isCurrent(resolver) && isFalse(resolver, 'Ready') ? 'False' : 'Unknown';
};
