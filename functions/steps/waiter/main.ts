import { extendRun, gate, restored } from '../../../lib/steps/extension/steps.ts';
import { runStep } from '../../../lib/steps/step.ts';
import { copyProgram } from '../../../lib/steps/waiter/copy.ts';
import { waiterOptions } from '../../../lib/steps/waiter/options.ts';

const log = (line: string): void => void process.stderr.write(`${new Date().toISOString()} ${line}\n`);

void runStep(
  async ({ args, signal }) => {
    const options = waiterOptions(args);
    const context = { log, signal };
    switch (options.mode) {
      case 'restored':
        return await restored(options, context);
      case 'gate':
        return await gate(options, context);
      case 'extend-run':
        return await extendRun(options, context);
      case 'copy':
        await copyProgram(process.argv[1] ?? '', options.to);
        return 0;
    }
  },
  { output: process.stderr },
);
