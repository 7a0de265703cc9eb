/** What `kpackless doctor` finds here: the programs that run, and the clock. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { type Checked, unknown, well, wrong } from '../findings.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const manifest = v.object({
  version: v.string(),
  dependencies: v.optional(v.record(v.string(), v.string()), {}),
  optionalDependencies: v.optional(v.record(v.string(), v.string()), {}),
});
const read = (...path: readonly string[]): v.InferOutput<typeof manifest> =>
  v.parse(manifest, JSON.parse(readFileSync(join(root, ...path, 'package.json'), 'utf8')));

/** The Node that everything runs on, and whether it is that of the lockfile. */
export const nodeVersion = (running: string): Checked => {
  const wanted = Object.values(read().optionalDependencies)[0] ?? '';
  return running === wanted
    ? well('Node', running)
    : unknown('Node', `${running}, and ${wanted} is what is tested`, 'npx kpackless takes the one of the lockfile');
};

/** Packages that are installed in another version than is asked for, or not at all. */
export const packages = (): Checked => {
  const others = Object.entries(read().dependencies).flatMap(([name, wanted]) => {
    try {
      const { version } = read('node_modules', ...name.split('/'));
      return version === wanted ? [] : [`${name} ${version} in place of ${wanted}`];
    } catch {
      return [`${name} is missing`];
    }
  });
  return others.length === 0
    ? well('packages', 'as the lockfile has them')
    : wrong('packages', others.join(', '), 'npm ci');
};

/** AWS refuses what is signed more than five minutes off. */
const mostSkewSeconds = 60;

/** How far this clock is from that of AWS. */
export const clock = (here: Date, there: Date): Checked => {
  const seconds = Math.round((here.getTime() - there.getTime()) / 1000);
  return Math.abs(seconds) <= mostSkewSeconds
    ? well('clock', `${Math.abs(seconds)} s from that of AWS`)
    : wrong(
        'clock',
        `${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} that of AWS, which refuses what is signed 5 minutes off`,
        'set it, or let it be set (NTP)',
      );
};
