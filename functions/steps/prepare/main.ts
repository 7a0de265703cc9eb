import { prepare } from '../../../lib/steps/prepare/prepare.ts';
import { runStep } from '../../../lib/steps/step.ts';

void runStep(async (step) => {
  await prepare(step);
  return 0;
});
