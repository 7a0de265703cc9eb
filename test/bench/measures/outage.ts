/** How soon work goes on after an API server was away for some seconds. */
import type { KubeObject } from '../../../lib/kube/object.ts';
import { imageNamed, namespace } from '../objects.ts';
import { type Row, round } from '../row.ts';
import { until } from '../wait.ts';
import type { World } from '../world.ts';

const imagesUnderWay = 20;
/** Seconds for which nobody listens; the server then takes a few more to start. */
const outages = [5, 10, 15];

/** Stops the API server in the middle of the passes of new Images; seconds from its being ready again to the last of their pods. */
const lateness = async (world: World, seconds: number): Promise<number> => {
  const names = Array.from({ length: imagesUnderWay }, (_, index) => `away-${seconds}-${index}`);
  await Promise.all(names.map((name) => world.kube.create(imageNamed(world, name))));
  await world.restartApiServer(seconds);
  const backAt = performance.now();
  await until(
    `the pods of ${imagesUnderWay} Images after an outage`,
    async () => {
      const pods = await world.kube.list<KubeObject>('Pod', { namespace });
      const made = new Set(pods.map(({ metadata }) => metadata?.name));
      return names.every((name) => made.has(`${name}-build-1-build-pod`)) ? true : undefined;
    },
    { seconds: 180, everyMs: 100 },
  );
  return (performance.now() - backAt) / 1000;
};

/** One outage after the other. */
export const recovery = async (world: World): Promise<Row> => {
  const measured: number[] = [];
  for (const seconds of outages) measured.push(await lateness(world, seconds));
  const largest = Math.max(...measured);
  return {
    measure: `API server away for ${outages.join(', ')} s, ${imagesUnderWay} Images under way → last pod after it is back`,
    measured: `${measured.map(round).join(', ')} s`,
    goal: '≤ 10 s',
    reached: largest <= 10,
    figures: Object.fromEntries(measured.map((seconds, index) => [`away${outages[index] ?? 0}`, seconds])),
  };
};
