/** Size and start of every function as it deploys. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Bundle, bundleAll } from '../../../infra/bundle.ts';
import { median, type Row, round } from '../row.ts';

const run = promisify(execFile);
const starts = 3;

/** What Lambda would set; nothing is called while a function starts. */
const environment = {
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'bench',
  AWS_SECRET_ACCESS_KEY: 'bench',
  KPACKLESS_TABLE: 'kpackless',
  KPACKLESS_QUEUE_URL_PREFIX: 'https://sqs.eu-central-1.amazonaws.com/000000000000/kpackless-',
  KPACKLESS_SENDERS: 'any',
  KPACKLESS_STEP_IMAGE: `registry.example/steps@sha256:${'0'.repeat(64)}`,
  KPACKLESS_HOOK_SECRET: 'bench',
};

const importing = (path: string): string =>
  `const begun = performance.now(); await import(${JSON.stringify(path)}); console.log(performance.now() - begun); process.exit(0)`;

/** Milliseconds from the first line of the bundle to its handler, the middle one of some fresh processes. */
const initMilliseconds = async ({ path }: Bundle): Promise<number> => {
  const times: number[] = [];
  for (let start = 0; start < starts; start += 1) {
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', importing(path)], {
      env: { ...environment, PATH: process.env['PATH'] ?? '' },
      timeout: 30_000,
    });
    times.push(Number(stdout.trim().split('\n').at(-1)));
  }
  return median(times);
};

/** Bundles everything into a folder of its own and starts each function; programs of pods and the relay are no functions. */
export const bundles = async (): Promise<readonly Row[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'kpackless-bench-dist-'));
  try {
    // Standalone mode's holds all of them, and goes over no network at each start.
    const deployed = (await bundleAll(folder)).filter(({ name }) => name !== 'standalone');
    const made = deployed.toSorted((a, b) => b.sizeBytes - a.sizeBytes);
    const largest = made[0];
    const times: { readonly name: string; readonly ms: number }[] = [];
    for (const bundle of made.filter(({ path }) => path.endsWith('handler.mjs')))
      times.push({ name: bundle.name, ms: await initMilliseconds(bundle) });
    const slowest = times.toSorted((a, b) => b.ms - a.ms)[0];
    const megabytes = (largest?.sizeBytes ?? 0) / 1e6;
    return [
      {
        measure: `largest of ${made.length} bundles`,
        measured: `${megabytes.toFixed(2)} MB (${largest?.name ?? ''})`,
        goal: '≤ 1.2 MB',
        reached: megabytes <= 1.2,
        figures: Object.fromEntries(made.map(({ name, sizeBytes }) => [name, sizeBytes])),
      },
      {
        measure: `slowest init of ${times.length} functions`,
        measured: `${round(slowest?.ms ?? 0)} ms (${slowest?.name ?? ''}), middle one ${round(median(times.map(({ ms }) => ms)))} ms`,
        goal: '≤ 200 ms',
        reached: (slowest?.ms ?? 0) <= 200,
        figures: Object.fromEntries(times.map(({ name, ms }) => [name, ms])),
      },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
