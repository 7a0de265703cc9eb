/**
 * Which version of an object a pass knows to exist, so that reading it need not be newer than that: the API server then answers from its watch
 * cache, without asking its store (Kubernetes API concepts, "Resource versions", get: not older than). Pure.
 */
import type { NotOlderThan } from '../kube/client.ts';
import type { ObjectKey } from '../kube/object.ts';
import type { Message } from '../queue/message.ts';
import type { Dependency, TargetKey } from '../state/keys.ts';
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

/** What is certain besides messages and record: by the pass itself, and by a relay in this process. */
export interface Certain {
  /** What the pass has declared so far: edges lead from these. */
  readonly declared: () => readonly Dependency[];
  /** The version that the relay and earlier passes vouch for. */
  readonly received: (key: ObjectKey) => string | undefined;
}

/** Whether both name one object. */
export const isSameObject = (a: ObjectKey, b: ObjectKey): boolean =>
  a.kind === b.kind && a.namespace === b.namespace && a.name === b.name;

/** The versions that events told of. */
export const toldVersions = (
  messages: readonly Pick<Message, 'cause' | 'epoch' | 'reason'>[],
  record: Pick<ObjectRecord, 'edges' | 'epoch'>,
): NotOlderThan => {
  const epoch = epochOf(messages, record);
  const followed = messages.filter((message) => isFollowed(message, record));
  return (key) =>
    followed.findLast(
      (message) => message.epoch === epoch && message.cause.resourceVersion !== '' && isSameObject(message.cause, key),
    )?.cause.resourceVersion;
};

/**
 * The versions that events told of, and for the target the one that the last pass read or wrote; for what the pass has declared to depend on, as far
 * as the relay has come: of later changes it will be told. Versions of another epoch say nothing. What none of these names is read as it is now.
 */
export const knownVersions = (
  target: TargetKey,
  messages: readonly Pick<Message, 'cause' | 'epoch' | 'reason'>[],
  record: Pick<ObjectRecord, 'edges' | 'epoch' | 'resourceVersion'>,
  { declared, received }: Certain,
): NotOlderThan => {
  const epoch = epochOf(messages, record);
  const told = toldVersions(messages, record);
  return (key) => {
    const version = told(key);
    if (version !== undefined) return version;
    if (isSameObject(target, key)) return record.epoch === epoch ? record.resourceVersion : undefined;
    return declared().some((dependency) => isSameObject(dependency, key)) ? received(key) : undefined;
  };
};
