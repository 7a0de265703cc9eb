/** What a token may be used for (distribution token specification, "Token Scope"). Passed along by hand, never hidden in a context. */
import type { Repository } from './reference.ts';

export type Action = 'pull' | 'push' | 'delete';

/** `repository:PATH:pull,push`. */
export const scopeFor = ({ path }: Repository, ...actions: readonly Action[]): string =>
  `repository:${path}:${actions.join(',')}`;

/** All scopes with the actions of each resource united, in a fixed order: the key under which a token is kept. */
export const uniteScopes = (...lists: readonly (readonly string[])[]): readonly string[] => {
  const actions = new Map<string, Set<string>>();
  for (const scope of lists.flat()) {
    const colon = scope.lastIndexOf(':');
    const resource = scope.slice(0, colon);
    const known = actions.get(resource) ?? new Set<string>();
    for (const action of scope.slice(colon + 1).split(',')) known.add(action);
    actions.set(resource, known);
  }
  return [...actions].map(([resource, names]) => `${resource}:${[...names].sort().join(',')}`).sort();
};
