/** `npm run chaos`: seeds one after another, on one adapter or both; a failing one is made smaller and printed. */
import { PermanentError } from '../../lib/errors/expected.ts';
import { type ChaosOptions, type ChaosReport, chaos } from './chaos.ts';
import { type CommandOptions, commandOptions, usage } from './options.ts';
import { type Smaller, smaller } from './smaller.ts';
import { showLine } from './trace.ts';

/** Making a failing seed smaller ends after so many seconds, with what has been found by then. */
const smallerSeconds = 300;
/** Lines of the smallest run that are printed. */
const mostLines = 400;

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const saySoon = (text: string): void => void process.stderr.write(`${text}\n`);

const kindsOf = ({ spoilt }: ChaosReport): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const { fault } of spoilt.injected) counts[fault] = (counts[fault] ?? 0) + 1;
  return counts;
};

const summary = ({ options: { seed, adapter }, without, spoilt }: ChaosReport): string =>
  `${adapter} seed ${seed}: ${spoilt.injected.length} faults, ${spoilt.builds} Builds (${without.builds} without), ${spoilt.passes} passes, ` +
  `as wanted ${Math.round(spoilt.settledSeconds)} s after the last, ${spoilt.machineSeconds.toFixed(1)} s of this machine: ` +
  (spoilt.violations.length === 0 ? 'all held' : `${spoilt.violations.length} did NOT hold`);

const reported = (report: ChaosReport, found: Smaller | undefined): object => ({
  ...report.options,
  violations: [...report.without.violations, ...report.spoilt.violations],
  injected: report.spoilt.injected.length,
  kinds: kindsOf(report),
  builds: { without: report.without.builds, spoilt: report.spoilt.builds },
  passes: report.spoilt.passes,
  calls: report.spoilt.calls,
  settledSeconds: report.spoilt.settledSeconds,
  runSeconds: report.spoilt.runSeconds,
  machineSeconds: report.spoilt.machineSeconds,
  ...(found === undefined ? {} : { smallest: { faults: found.faults, violations: found.run.violations } }),
});

const explain = (report: ChaosReport, found: Smaller): void => {
  for (const violation of [...report.without.violations, ...report.spoilt.violations]) say(`  ${violation}`);
  say(
    `\nOf its faults these are enough (found in ${found.runs} runs); to keep it as a test see test/chaos/regressions:`,
  );
  for (const fault of found.faults) say(`  ${JSON.stringify(fault)}`);
  say('\nWhat happened then (minutes and seconds since the start):');
  for (const line of found.run.trace.slice(-mostLines)) say(showLine(line));
};

/** Gives whether all held. */
const runOne = async (options: ChaosOptions, json: boolean): Promise<boolean> => {
  const report = await chaos(options);
  const fails = report.spoilt.violations.length > 0;
  const found = fails ? await smaller(options, report, smallerSeconds) : undefined;
  if (json) say(JSON.stringify(reported(report, found)));
  else say(summary(report));
  if (!json && found !== undefined) explain(report, found);
  return !fails && report.without.violations.length === 0;
};

const runAll = async ({
  seed: first,
  seeds,
  adapters,
  faults,
  images,
  day,
  told,
  json,
}: CommandOptions): Promise<boolean> => {
  let allHeld = true;
  for (let seed = first; seed < first + seeds; seed += 1)
    for (const adapter of adapters) {
      const progress: ChaosOptions['progress'] = (elapsedMs, injected, builds) =>
        saySoon(
          `… ${adapter} seed ${seed}: ${Math.round(elapsedMs / 60_000)} min of the run, ${injected} faults, ${builds} Builds`,
        );
      const held = await runOne({ seed, adapter, images, faults, day, told, progress }, json);
      allHeld &&= held;
    }
  return allHeld;
};

try {
  const options = commandOptions({ args: process.argv.slice(2), environment: process.env });
  if (options.help) say(usage);
  else if (!(await runAll(options))) process.exitCode = 1;
} catch (error) {
  if (!(error instanceof PermanentError)) throw error;
  saySoon(error.message);
  process.exitCode = 2;
}
