/** A wake-up on its way through the queue of what is bulk, with the queue that it is for: an object may be woken through its own and its dependents'. */
import * as v from 'valibot';
import { queueRows } from '../reconcile/kind-table.ts';
import { type Message, messageSchema, type Newer, readableAs, type Unreadable } from './message.ts';

/** What lies in the queue of what is bulk. */
export interface Envelope {
  /** The queue's name in the kind table. */
  readonly to: string;
  readonly message: Message;
}

const queues: ReadonlySet<string> = new Set(queueRows.map(({ name }) => name));

const envelopeSchema = v.object({
  to: v.pipe(
    v.string(),
    v.check((to) => queues.has(to), 'is no queue that is known'),
  ),
  message: messageSchema,
});

/** The envelope in `body`, or a sentence that says why it is none. */
export const parseEnvelope = (body: string): Envelope | Newer | Unreadable => readableAs(envelopeSchema, body);
