/** The skip rule (DESIGN §3.4): the one reason to do nothing without asking the API server. */
import { createHash } from 'node:crypto';
import type { Message } from '../queue/message.ts';
import type { ObjectRecord } from '../state/records.ts';

/** The part of a message that the rule looks at. */
export type Wakeup = Pick<Message, 'cause' | 'epoch' | 'reason' | 'target'>;

/** One version of one object of the record's namespace, short enough that a record can name dozens. */
export const seenToken = ({
  kind,
  name,
  resourceVersion,
}: Pick<Message['cause'], 'kind' | 'name' | 'resourceVersion'>): string =>
  createHash('sha256').update(`${kind}/${name}@${resourceVersion}`).digest('base64url').slice(0, 12);

const isOfTarget = ({ target, cause }: Wakeup): boolean =>
  target.kind === cause.kind && target.namespace === cause.namespace && target.name === cause.name;

/**
 * An event of the object itself whose version equals the recorded one tells nothing new, nor one of a version that is known to come before it;
 * and neither does a list or an event of a child in the version that the last pass decided on, which may have written it itself. Versions are
 * compared for equality alone: an ordering across objects, restores and re-creation cannot be got right.
 */
const saysNothingNew = (message: Wakeup, record: ObjectRecord): boolean => {
  const { cause, epoch, reason } = message;
  if (epoch !== record.epoch || cause.resourceVersion === '') return false;
  if (isOfTarget(message))
    return (
      (reason === 'self' || reason === 'list') &&
      (cause.resourceVersion === record.resourceVersion || record.seen.includes(seenToken(cause)))
    );
  return (reason === 'list' || reason === 'child') && record.seen.includes(seenToken(cause));
};

/** A key's messages are skipped only if every one of them may be (DESIGN §3.3). */
export const maySkip = (messages: readonly Wakeup[], record: ObjectRecord): boolean =>
  messages.every((message) => saysNothingNew(message, record));
