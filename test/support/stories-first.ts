/**
 * The order of test files. The cluster's stories take longest, so they begin first. They are busiest in their first minute, which suits
 * tests that compute and wait for nobody; those of real servers come after them.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const order = ['e2e', 'fast', 'contract'];

/** Projects in that order; within a project as vitest orders them. */
export class StoriesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => order.indexOf(a.project.name) - order.indexOf(b.project.name));
  }
}
