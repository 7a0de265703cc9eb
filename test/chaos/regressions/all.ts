/** Every seed that failed once. */
import { made } from './made-again.ts';
import type { Regression } from './regression.ts';

export const regressions: readonly Regression[] = [made];
