/** Every seed that failed once. */
import { madeAgain } from './made-again.ts';
import type { Regression } from './regression.ts';

export const regressions: readonly Regression[] = [madeAgain];
