/** A seed that failed once, with the faults that were enough for it; it is run with every `npm test`. */
import type { ChaosOptions } from '../chaos.ts';
import type { Fault } from '../faults.ts';

export interface Regression {
  /** What went wrong. */
  readonly was: string;
  readonly options: Pick<ChaosOptions, 'seed' | 'adapter' | 'images' | 'faults' | 'actions'>;
  readonly faults: readonly Fault[];
}
