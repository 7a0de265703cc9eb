/** How Node is started for standalone mode, wherever: by `npm start`, in the image, under the benchmarks. */

import type { NodeStart } from '../program-image.ts';

/**
 * What keeps it small (`npm run bench -- --only memory`): a young generation of 4 MiB, and one arena for all threads. A smaller one, or
 * `--optimize-for-size` as the relay has it, saves another 10 MB and costs a third more processor time for each Image. The limit of the heap
 * is far above what is needed and below the Deployment's.
 */
export const standaloneNode: NodeStart = {
  flags: ['--max-old-space-size=192', '--max-semi-space-size=4'],
  environment: { MALLOC_ARENA_MAX: '1' },
};
