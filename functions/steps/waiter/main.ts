import { runStep } from '../../../lib/steps/step.ts';
import { copyProgram } from '../../../lib/steps/waiter/copy.ts';
import { waiterOptions } from '../../../lib/steps/waiter/options.ts';
import { waitAndRun } from '../../../lib/steps/waiter/wait.ts';

const log = (line: string): void => void process.stderr.write(`${new Date().toISOString()} ${line}\n`);

void runStep(
  async ({ args, signal }) => {
    const options = waiterOptions(args);
    if (options.mode === 'wait') return await waitAndRun(options, { log, signal });
    await copyProgram(process.argv[1] ?? '', options.to);
    return 0;
  },
  { output: process.stderr },
);
