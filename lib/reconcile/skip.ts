/** The skip rule (DESIGN §3.4): the one reason to do nothing without asking the API server. */
import type { Message } from '../queue/message.ts';
import type { ObjectRecord } from '../state/records.ts';

/** The part of a message that the rule looks at. */
export type Wakeup = Pick<Message, 'reason' | 'epoch'> & { readonly cause: { readonly resourceVersion: string } };

/**
 * Only an event of the object itself whose version equals the recorded one tells nothing new. Versions are compared for
 * equality alone: an ordering across objects, restores and re-creation cannot be got right.
 */
const saysNothingNew = (message: Wakeup, record: ObjectRecord): boolean =>
  (message.reason === 'self' || message.reason === 'list') &&
  message.cause.resourceVersion !== '' &&
  message.cause.resourceVersion === record.resourceVersion &&
  message.epoch === record.epoch;

/** A key's messages are skipped only if every one of them may be (DESIGN §3.3). */
export const maySkip = (messages: readonly Wakeup[], record: ObjectRecord): boolean =>
  messages.every((message) => saysNothingNew(message, record));
