/** Rebases alone: time, requests and memory of the registry operation. */

import { pushImage } from '../../../infra/local/images/push.ts';
import { runImage } from '../../../infra/local/images/stack.ts';
import { openRegistry } from '../../../lib/oci/client.ts';
import { rebaseImage } from '../../../lib/oci/rebase.ts';
import { parseReference, parseTag } from '../../../lib/oci/reference.ts';
import { median, type Row, round } from '../row.ts';
import type { World } from '../world.ts';
import { layersEach, pushApps } from './app-images.ts';

const count = 100;

/** Puts images on a new run image one after the other. */
export const rebases = async ({ registry }: World): Promise<readonly Row[]> => {
  const names = Array.from({ length: count }, (_, index) => `rebase-${index}`);
  const apps = await pushApps(registry.host, names);
  const run = parseReference(
    await pushImage(registry.host, await runImage({ name: 'run:patched', release: 'patched' })),
  );
  const client = openRegistry();
  registry.requests();
  const before = process.memoryUsage().rss;
  const times: number[] = [];
  for (const name of names) {
    const started = performance.now();
    const tags = [parseTag(`${registry.host}/apps/${name}:latest`)];
    await rebaseImage(
      { tags: client, app: client, runImage: client },
      { app: parseReference(apps.get(name) ?? ''), runImage: run, tags },
    );
    times.push(performance.now() - started);
  }
  const grownMb = (process.memoryUsage().rss - before) / 1e6;
  const requests = registry.requests();
  const each = requests.length / count;
  const downloaded = requests.filter(({ method, path }) => method === 'GET' && path.includes('/blobs/')).length / count;
  return [
    {
      measure: `rebase of ${count} images of ${layersEach} layers (stand-ins), each`,
      measured: `p50 ${round(median(times))} ms, max ${round(Math.max(...times))} ms; ${round(each)} requests (${round(downloaded)} config reads); ${round(grownMb)} MB more memory`,
      goal: '≤ 100 ms, ≤ 10 requests',
      reached: median(times) <= 100 && each <= 10,
      figures: { p50: median(times), max: Math.max(...times), requests: each, grownMb },
    },
  ];
};
