/** kpackless alone, as a process that can be killed: `node standalone-program.ts <options as JSON>`. Says `ready`; ends at SIGTERM. */
import { flushCompileCache } from 'node:module';
import { type StandaloneOptions, startStandalone } from '../../infra/local/standalone/standalone.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as StandaloneOptions;
const standalone = await startStandalone(options);
process.once('SIGTERM', () => void standalone.stop());
process.stdout.write('ready\n');
// Most of these are killed, and would leave nothing for the next one.
flushCompileCache();
