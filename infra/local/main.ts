/** `npm start`: kpackless on one machine, from nothing to a built and running sample image. */
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ExpectedError, PermanentError } from '../../lib/errors/expected.ts';
import { defaultCacheDir } from './cluster/state.ts';
import { startOptions, usage } from './options.ts';

const main = async (): Promise<void> => {
  const options = startOptions({ args: process.argv.slice(2), environment: process.env }, homedir());
  if (options.help) {
    process.stdout.write(usage);
    return;
  }
  // Half a second of every start but the first goes into compiling what has not changed.
  enableCompileCache(join(defaultCacheDir(), 'compiled'));
  // Only now: whoever mistyped an option is told at once.
  const { run } = await import('./run.ts');
  await run(options);
};

try {
  await main();
} catch (error) {
  const isExpected = error instanceof ExpectedError || error instanceof PermanentError;
  const said = error instanceof Error ? ((isExpected ? error.message : error.stack) ?? error.message) : String(error);
  process.stderr.write(`npm start: ${said}
`);
  process.exitCode = 1;
}
