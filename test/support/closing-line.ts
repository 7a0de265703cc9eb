/** A vitest reporter: the last line of a run, alone, is `N passed, N failed`, with `, N skipped` when there are any. */
import type { Reporter, TestModule } from 'vitest/node';

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

/** A file that broke before its tests, or after them, counts as one failure: it must not look like nothing. */
const countModule = (testModule: TestModule, count: Count): void => {
  const before = count.failed;
  for (const test of testModule.children.allTests()) {
    const { state } = test.result();
    if (state === 'pending') count.failed += 1;
    else count[state] += 1;
  }
  if (!testModule.ok() && count.failed === before) count.failed += 1;
};

/** Counts tests; errors that belong to no test count as one failure each. */
export const closingLine = (testModules: readonly TestModule[], unhandledErrors: readonly unknown[]): string => {
  const count: Count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
  for (const testModule of testModules) countModule(testModule, count);
  const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
  return `${count.passed} passed, ${count.failed} failed${skipped}`;
};

export default class ClosingLine implements Reporter {
  onTestRunEnd(testModules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const line = closingLine(testModules, unhandledErrors);
    process.once('exit', () => process.stdout.write(`\n${line}\n`));
  }
}
