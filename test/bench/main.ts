/** `npm run bench`: what kpackless does on this machine, beside the goals and upstream's figures. */
import { ExpectedError, PermanentError } from '../../lib/errors/expected.ts';
import { kpackPlace } from './kpack.ts';
import { type Machine, thisMachine } from './machine.ts';
import { type BenchOptions, benchOptions, usage } from './options.ts';
import { type Row, ratiosFirst, table } from './row.ts';
import { runAll } from './run-all.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

const report = (rows: readonly Row[], seconds: number, machine: Machine, { json }: BenchOptions): string => {
  if (json) return JSON.stringify({ machine, seconds, rows: ratiosFirst(rows) }, undefined, 2);
  const { cores, model, memoryGb, node, load } = machine;
  const missed = rows.filter(({ reached }) => reached === false).length;
  return [
    `${cores} cores ${model}, ${memoryGb} GB, Node ${node}, load ${load} before the start; pods stay Pending (no node); sources are registry images, which resolvers take as they are`,
    '',
    table(rows),
    '',
    `${rows.filter(({ reached }) => reached === true).length} goals reached, ${missed} missed, in ${Math.round(seconds)} s`,
  ].join('\n');
};

try {
  const options = benchOptions(
    { args: process.argv.slice(2), environment: process.env },
    kpackPlace(process.env) !== undefined,
  );
  if (options.help) process.stdout.write(usage);
  else {
    const started = performance.now();
    const machine = thisMachine();
    const rows = await runAll(options, say);
    process.stdout.write(`${report(rows, (performance.now() - started) / 1000, machine, options)}\n`);
    process.exitCode = options.strict && rows.some(({ reached }) => reached === false) ? 1 : 0;
  }
} catch (error) {
  if (!(error instanceof ExpectedError || error instanceof PermanentError)) throw error;
  say(error.message);
  process.exitCode = 1;
}
// Simulated installations are left in the middle of their time, with timers of hours.
process.exit();
