/** Order and locking of FIFO groups: strictly by arrival inside a group, and no more of a group while one of it is in flight. */

import { IndexedHeap } from './heap.ts';
import type { Line } from './line.ts';
import type { StoredMessage } from './message.ts';

interface Group {
  /** Delayed and ready messages; a delayed one at the front holds the others back, else it would be overtaken. */
  readonly waiting: IndexedHeap<StoredMessage>;
  readonly inFlight: Set<StoredMessage>;
  /** Sequence of the front message; order among free groups. Set only while outside the heap. */
  front: number;
}

/** One line per group; free groups are served by the age of their oldest message. */
export const fifoLine = (): Line & { readonly groups: () => number } => {
  const groups = new Map<string, Group>();
  const free = new IndexedHeap<Group>((a, b) => a.front < b.front);

  const groupOf = (id: string): Group => {
    const known = groups.get(id);
    if (known !== undefined) return known;
    const group: Group = {
      waiting: new IndexedHeap((a, b) => a.sequence < b.sequence),
      inFlight: new Set(),
      front: 0,
    };
    groups.set(id, group);
    return group;
  };

  const readyFront = ({ waiting }: Group): StoredMessage | undefined => {
    const front = waiting.peek();
    return front?.state === 'ready' ? front : undefined;
  };

  return {
    groups: () => groups.size,
    changed: (message) => {
      const id = message.groupId ?? '';
      const group = groupOf(id);
      free.remove(group);
      if (message.state === 'ready' || message.state === 'delayed') group.waiting.add(message);
      else group.waiting.remove(message);
      if (message.state === 'inFlight') group.inFlight.add(message);
      else group.inFlight.delete(message);

      const front = readyFront(group);
      if (front !== undefined && group.inFlight.size === 0) {
        group.front = front.sequence;
        free.add(group);
      } else if (group.waiting.size === 0 && group.inFlight.size === 0) {
        groups.delete(id);
      }
    },
    next: (previous) => {
      const same = previous === undefined ? undefined : groups.get(previous.groupId ?? '');
      const follower = same === undefined ? undefined : readyFront(same);
      if (follower !== undefined) return follower;
      const group = free.peek();
      return group === undefined ? undefined : readyFront(group);
    },
  };
};
