/** Dead-letter queues: how full they are, and the way back (spec 06 §3). */

/** What lies in a dead-letter queue. */
export interface DeadLetterQueue {
  readonly arn: string;
  /** Approximate, as everything that SQS counts. */
  readonly messages: number;
}

/** The dead-letter queues, by the queue's name in the kind table. Both throw what the SDK throws. */
export interface DeadLetters {
  look(queue: string): Promise<DeadLetterQueue>;
  /** Moves everything back to where it came from, so many a second; each message then has all its receives again. */
  bringBack(arn: string, perSecond: number): Promise<void>;
}
