/** How Node is started for standalone mode, wherever: by `npm start`, in the image, under the benchmarks. */

import type { NodeStart } from '../program-image.ts';

/**
 * What keeps it small and cheap (`npm run bench -- --only memory`, `--only fan-out`). A young generation of 8 MiB: what a pass leaves behind is
 * garbage at once, and 2 MiB took a tenth more processor time for each Image, for 5 MB less at rest. Garbage is collected by the one thread that
 * makes it, as others cost more than they help on so small a heap. One arena for all threads. `--optimize-for-size`, which the relay has, saves
 * 5 MB and costs a fifth more processor time. What is garbage when work is over is collected then (give-back.ts). The limit of the heap is far above what is needed and below the Deployment's.
 */
export const standaloneNode: NodeStart = {
  flags: ['--max-old-space-size=192', '--max-semi-space-size=8', '--single-threaded-gc', '--expose-gc'],
  environment: { MALLOC_ARENA_MAX: '1' },
};
