/** An Image that was deleted and made again at once: its first Build's pod has the name of the old one's. */
import type { Regression } from './regression.ts';

export const made: Regression = {
  was: 'a watch cache that knew only that the old pod was gone made the new Build fail with PodDeleted, for good',
  options: { seed: 23, adapter: 'sqlite', images: 6, faults: 120 },
  faults: [
    { fault: 'death before', call: 'standalone table query edge#chaos#ClusterStore##* #6' },
    { fault: 'kill', at: 147_784, seconds: 3 },
    { fault: 'second relay', at: 465_147, seconds: 112 },
  ],
};
