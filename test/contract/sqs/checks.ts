/** Every check of the contract. */

import { batchChecks } from './batch-checks.ts';
import { deduplicationChecks } from './deduplication-checks.ts';
import { orderingChecks } from './ordering-checks.ts';
import { queueChecks } from './queue-checks.ts';
import { redriveChecks } from './redrive-checks.ts';
import { visibilityChecks } from './visibility-checks.ts';
import type { Check } from './world.ts';

export const sqsChecks: readonly Check[] = [
  ...orderingChecks,
  ...deduplicationChecks,
  ...visibilityChecks,
  ...redriveChecks,
  ...batchChecks,
  ...queueChecks,
];
