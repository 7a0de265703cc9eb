/** Where wake-ups go: the port. */
import { ExpectedError } from '../errors/expected.ts';
import type { Message } from './message.ts';

/** Where wake-ups go. Resolves once the queue has accepted all of them; the order within a target is kept. @throws QueueError */
export interface Sender {
  send(queue: string, messages: readonly Message[]): Promise<void>;
}

/** SQS cannot be reached or refuses. */
export class QueueError extends ExpectedError {
  override readonly name: string = 'QueueError';
}
