/** An Image that is deleted and made again at once, over and over: its first Build's pod has the name of the old one's. */
import type { Regression } from './regression.ts';

const times = 12;

export const madeAgain: Regression = {
  was: 'a watch cache that knew only that the old pod was gone made a new Build fail with PodDeleted, for good',
  options: {
    seed: 15,
    adapter: 'aws',
    images: 1,
    faults: 0,
    actions: Array.from({ length: times }, (_, index) => ({
      at: 30_000 + index * 17_000,
      kind: 'make again',
      image: 0,
    })),
  },
  // None is needed: it was a matter of milliseconds between a pod's end and the next one's beginning.
  faults: [],
};
