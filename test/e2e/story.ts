/** A story in two halves, so that all of them can begin at once: builds mostly wait for the node, and waiting together is quick. */
import type { Suite } from './suite.ts';

/** What happens, and what is then said about it. */
export interface Story {
  /** Makes the objects; waits for nothing that takes long. */
  readonly begin: (suite: Suite) => Promise<void>;
  /** Registers the tests. They run one after another and wait for what they need. */
  readonly tell: (the: () => Suite) => void;
}
