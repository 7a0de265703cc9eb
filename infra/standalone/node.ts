/** How Node is started for standalone mode, wherever: by `npm start`, in the image, under the benchmarks. */

/**
 * What keeps it small (`npm run bench -- --only memory`): a heap that grows reluctantly, and one arena for all threads. The limit of the heap is
 * far above what is needed and below the Deployment's.
 */
export const standaloneNode = {
  flags: ['--max-old-space-size=192', '--max-semi-space-size=2', '--optimize-for-size'],
  environment: { MALLOC_ARENA_MAX: '1' },
} as const satisfies {
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
};
