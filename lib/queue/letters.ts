/** Dead letters one by one, for the operator's command: to look at, to take away. Beside them how much lies in the queues. */
import { parseEnvelope } from './envelope.ts';
import { type Message, parseMessage } from './message.ts';

/** A dead letter. */
export interface Letter {
  /** As the queue knows it; the same at the next look. */
  readonly id: string;
  /** The queue it died in, by its name in the kind table. */
  readonly queue: string;
  readonly body: string;
  /** Milliseconds since 1970; undefined when the queue does not say. */
  readonly sentAt: number | undefined;
}

/** How much waits in a queue. Everything is approximate, as what SQS counts. */
export interface Depth {
  readonly waiting: number;
  /** Handed out, and not done with. */
  readonly inHand: number;
  readonly deadLetters: number;
  /** Seconds that the oldest has waited; undefined when nothing waits or nobody knows. */
  readonly oldestSeconds: number | undefined;
}

/** The letters of all queues. Calls throw ExpectedError. */
export interface Letters {
  /** The first of them, some `most`; of one object those that were sent first. They stay where they are. */
  list(queue: string, most: number): Promise<readonly Letter[]>;
  /** Takes one away; false when it is not there any more. */
  drop(queue: string, id: string): Promise<boolean>;
  /** Takes all of a queue away. */
  dropAll(queue: string): Promise<void>;
  /** Sends all of a queue back to where they died, a few a second. */
  redriveAll(queue: string): Promise<void>;
}

/** What waits in the queues. @throws ExpectedError */
export interface Depths {
  depth(queue: string): Promise<Depth>;
}

/** What a letter says: the wake-up, or why it cannot be read. */
export const wakeUpIn = ({ queue, body }: Pick<Letter, 'queue' | 'body'>): Message | string => {
  const parsed = queue === 'bulk' ? parseEnvelope(body) : parseMessage(body);
  if ('unreadable' in parsed) return parsed.unreadable;
  return 'newer' in parsed ? `it is of version ${parsed.newer}, which a later kpackless reads` : parsed.message;
};
