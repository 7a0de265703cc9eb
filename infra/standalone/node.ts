/** How Node is started for standalone mode, wherever: by `npm start`, in the image, under the benchmarks. */

import type { NodeStart } from '../program-image.ts';

/**
 * What keeps it small (`npm run bench -- --only memory`): a young generation of 2 MiB, since what a pass leaves behind is garbage at once, and
 * one arena for all threads. A larger one takes 20 MB more at rest and saves little; `--optimize-for-size`, which the relay has, saves 5 MB and
 * costs a fifth more processor time for each Image. The limit of the heap is far above what is needed and below the Deployment's.
 */
export const standaloneNode: NodeStart = {
  flags: ['--max-old-space-size=192', '--max-semi-space-size=8', '--single-threaded-gc'],
  environment: { MALLOC_ARENA_MAX: '1' },
};
