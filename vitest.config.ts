import { defineConfig } from 'vitest/config';

/**
 * Three projects: `fast` has no network beyond loopback; `contract` runs suites over emulators and real servers; `e2e` needs the
 * real cluster. One after the other, so that none waits for a processor that another project has.
 */
export default defineConfig({
  test: {
    pool: 'threads',
    isolate: false,
    // On a shared machine of CI a test that waits for real processes may be late once; the report marks it as retried.
    retry: process.env['CI'] === 'true' ? 1 : 0,
    projects: [
      {
        extends: true,
        test: {
          name: 'fast',
          include: ['test/unit/**/*.test.ts', 'test/parity/**/*.test.ts'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'contract',
          include: ['test/contract/**/*.test.ts'],
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          sequence: { groupOrder: 2 },
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
