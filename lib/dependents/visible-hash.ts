/** What dependents can see of an object, as a hash: when it is the same, nobody needs to be woken (DESIGN §3.8). */
import { createHash } from 'node:crypto';
import { isDeleting, type KubeObject } from '../kube/object.ts';
import { stableJson } from '../text/stable-json.ts';

const withoutTimes = (key: string, value: unknown): unknown => (key === 'lastTransitionTime' ? undefined : value);

/**
 * `gone`, or a hash of uid, generation, being deleted, and everything but metadata; condition times do not count. The generation
 * tells a spec that was changed and changed back, which somebody may have read in between, from one that was not touched; where
 * there is none (ServiceAccounts) the version does.
 */
export const visibleHash = (object: KubeObject | undefined): string => {
  if (object === undefined) return 'gone';
  const { metadata, ...rest } = object;
  const { uid, generation, resourceVersion } = metadata ?? {};
  const seen: unknown = JSON.parse(
    JSON.stringify({ ...rest, uid, state: generation ?? resourceVersion, deleting: isDeleting(object) }, withoutTimes),
  );
  return createHash('sha256').update(stableJson(seen)).digest('base64url');
};
