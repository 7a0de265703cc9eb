/**
 * Judges every regular expression of `lib` and `functions`: `node infra/check/main.ts`. Tenants and hosts choose what they are matched
 * against, so one that backtracks stops the process for everybody (DESIGN §3.29). Prints each complaint and fails when there is one.
 */
import { globSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { complaintAbout } from './judge.ts';
import { type Place, regularExpressionsIn, type WrittenPattern } from './regular-expressions.ts';

const root = join(import.meta.dirname, '../..');
/** A run longer than this says that it is alive, in ms. */
const silentMilliseconds = 2000;

const shown = ({ file, line }: Place): string => `${file}:${line}`;

const found = globSync(['lib/**/*.ts', 'functions/**/*.ts'], { cwd: root })
  .toSorted()
  .map((file) => regularExpressionsIn(file, readFileSync(join(root, file), 'utf8')));
const complaints = found
  .flatMap(({ madeAtRunTime }) => madeAtRunTime)
  .map(
    (place) =>
      `${shown(place)}: a pattern put together at run time cannot be judged; write it down or search without one`,
  );

/** The same pattern is judged once, wherever it stands. */
const different = Map.groupBy(
  found.flatMap(({ patterns }) => patterns),
  ({ source, flags }: WrittenPattern) => `/${source}/${flags}`,
);
const waiting = [...different];
let judged = 0;

const lane = async (): Promise<void> => {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const [pattern, places] = next;
    const complaint = places[0] === undefined ? undefined : await complaintAbout(places[0]);
    judged += 1;
    if (complaint !== undefined) complaints.push(`${places.map(shown).join(', ')}: ${pattern} ${complaint}`);
  }
};

const progress = setInterval(
  () => console.error(`regular expressions: ${judged} of ${different.size} judged`),
  silentMilliseconds,
);
await Promise.all(Array.from({ length: availableParallelism() }, lane));
clearInterval(progress);

for (const complaint of complaints.toSorted()) console.error(complaint);
console.log(`${different.size} regular expressions judged, ${complaints.length} complaints`);
process.exitCode = complaints.length > 0 ? 1 : 0;
