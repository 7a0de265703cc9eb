/** The order of test files: what takes longest begins first, so that the others run beside it and none waits for it at the end. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const order = ['e2e', 'contract', 'fast'];

/** Projects in the order of their longest files; within a project as vitest orders them. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => order.indexOf(a.project.name) - order.indexOf(b.project.name));
  }
}
