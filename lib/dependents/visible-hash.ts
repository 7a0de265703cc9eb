/** What dependents can see of an object, as a hash: when it is the same, nobody needs to be woken (DESIGN §3.8). */
import { createHash } from 'node:crypto';
import { isDeleting, type KubeObject } from '../kube/object.ts';
import { stableJson } from '../text/stable-json.ts';

const withoutTimes = (key: string, value: unknown): unknown => (key === 'lastTransitionTime' ? undefined : value);

/** `gone`, or a hash of uid, being deleted, and everything but metadata; condition times do not count. */
export const visibleHash = (object: KubeObject | undefined): string => {
  if (object === undefined) return 'gone';
  const { metadata, ...rest } = object;
  const seen: unknown = JSON.parse(
    JSON.stringify({ ...rest, uid: metadata?.uid, deleting: isDeleting(object) }, withoutTimes),
  );
  return createHash('sha256').update(stableJson(seen)).digest('base64url');
};
