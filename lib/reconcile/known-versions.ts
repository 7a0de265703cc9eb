/**
 * Which version of an object a pass knows to exist, so that reading it need not be newer than that: the API server then answers from its watch
 * cache, without asking its store (Kubernetes API concepts, "Resource versions", get: not older than). Pure.
 */
import type { NotOlderThan } from '../kube/client.ts';
import type { Message } from '../queue/message.ts';
import type { TargetKey } from '../state/keys.ts';
import { type ObjectRecord, showDependency } from '../state/records.ts';

/** The epoch that the messages tell of; a due message knows none: the record's holds then. */
export const epochOf = (messages: readonly Pick<Message, 'epoch'>[], record: Pick<ObjectRecord, 'epoch'>): string =>
  messages.findLast(({ epoch }) => epoch !== '')?.epoch ?? record.epoch ?? '';

/** Whether every later change of the cause wakes the object as well: an edge to a dependency may have gone and come back meanwhile. */
const isFollowed = (
  { cause: { kind, namespace, name }, reason }: Pick<Message, 'cause' | 'reason'>,
  { edges }: Pick<ObjectRecord, 'edges'>,
): boolean =>
  reason !== 'dependency' ||
  [name, '*'].some((each) => edges.includes(showDependency({ kind, namespace, name: each })));

/**
 * The versions that events told of, and for the target the one that the last pass read or wrote. Versions of another epoch say nothing. What
 * neither names is read as it is now: a dependency that no edge leads to yet must be, since it is declared before it is read (DESIGN §3.8).
 */
export const knownVersions = (
  target: TargetKey,
  messages: readonly Pick<Message, 'cause' | 'epoch' | 'reason'>[],
  record: Pick<ObjectRecord, 'edges' | 'epoch' | 'resourceVersion'>,
): NotOlderThan => {
  const epoch = epochOf(messages, record);
  const followed = messages.filter((message) => isFollowed(message, record));
  return ({ kind, namespace, name }) => {
    const is = (one: { readonly kind: string; readonly namespace: string; readonly name: string }): boolean =>
      one.kind === kind && one.namespace === namespace && one.name === name;
    const told = followed.findLast(
      (message) => message.epoch === epoch && message.cause.resourceVersion !== '' && is(message.cause),
    );
    if (told !== undefined) return told.cause.resourceVersion;
    return is(target) && record.epoch === epoch ? record.resourceVersion : undefined;
  };
};
