import { complete } from '../../../lib/steps/completion/completion.ts';
import { runStep } from '../../../lib/steps/step.ts';

void runStep(
  async (step) => {
    await complete(step);
    return 0;
  },
  { output: process.stderr },
);
