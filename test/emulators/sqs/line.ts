/** Who is next: the order in which ready messages leave. Standard queues have one line, FIFO queues one per group (fifo.ts). */

import { IndexedHeap } from './heap.ts';
import type { StoredMessage } from './message.ts';

/** Told of every change of a message's state; answers which one to hand out. */
export interface Line {
  /** A message is new here, or its state has just changed. */
  changed(message: StoredMessage): void;
  /**
   * The next message that may be handed out, left in place. `previous` is the one the same receive has just taken: a FIFO line
   * goes on with its group, although that group is blocked for everybody else by now.
   */
  next(previous: StoredMessage | undefined): StoredMessage | undefined;
}

/** Oldest first. AWS promises no order for standard queues; this is the one that surprises least. */
export const standardLine = (): Line => {
  const ready = new IndexedHeap<StoredMessage>((a, b) => a.sequence < b.sequence);
  return {
    changed: (message) => {
      if (message.state === 'ready') ready.add(message);
      else ready.remove(message);
    },
    next: () => ready.peek(),
  };
};
