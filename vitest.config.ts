import { defineConfig } from 'vitest/config';
import { StoriesFirst } from './test/support/stories-first.ts';

/**
 * Three projects: `fast` has no network beyond loopback; `contract` runs suites over emulators and real servers; `e2e` needs the
 * real cluster. All at once: `e2e` waits for its node most of the time, so its one file takes a worker of its own from the start, and
 * the others leave it the processor whenever it wants it.
 */
export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 3,
    // On a shared machine of CI a test that waits for real processes may be late once; the report marks it as retried.
    retry: process.env['CI'] === 'true' ? 1 : 0,
    sequence: { sequencer: StoriesFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'fast',
          testTimeout: 20_000,
          // Tests that are concurrent wait for timers, not for the processor.
          maxConcurrency: 40,
          isolate: false,
          setupFiles: 'test/support/low-priority.ts',
          include: ['test/unit/**/*.test.ts', 'test/parity/**/*.test.ts', 'test/attack/**/*.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'contract',
          isolate: false,
          globalSetup: 'test/support/real-programs.ts',
          setupFiles: 'test/support/low-priority.ts',
          include: ['test/contract/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          globalSetup: 'test/support/real-programs.ts',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
