/** How soon work goes on after an API server was away for some seconds. */
import { imageNamed } from '../objects.ts';
import { atMost, type Row, round } from '../row.ts';
import { until } from '../wait.ts';
import type { World } from '../world.ts';
import { isPod } from './fan-out.ts';

const imagesUnderWay = 20;
/** Seconds for which nobody listens; the server then takes a few more to start. */
const outages = [5, 10, 15];

interface Recovery {
  /** Seconds from the server's being ready to the last pod; 0 when that was there before, as its port answers sooner. */
  readonly late: number;
  /** Images that had no pod when the server went. */
  readonly underWay: number;
}

/** Stops the API server in the middle of the passes of new Images. */
const recoveryAfter = async (world: World, seconds: number, round: number): Promise<Recovery> => {
  const audit = world.audit();
  const names = Array.from({ length: imagesUnderWay }, (_, index) => `away-${round}-${seconds}-${index}`);
  const awaited = new Set(names.map((name) => `${name}-build-1-build-pod`));
  await Promise.all(names.map((name) => world.kube.create(imageNamed(world, name))));
  const wentAt = Date.now();
  await world.restartApiServer(seconds);
  const backAt = Date.now();
  const podAt: number[] = [];
  await until(
    `the pods of ${imagesUnderWay} Images after an outage`,
    () => {
      const pods = audit.next().filter((request) => isPod(request) && awaited.has(request.name));
      podAt.push(...pods.map(({ answeredAt }) => answeredAt));
      return podAt.length >= imagesUnderWay ? true : undefined;
    },
    { seconds: 180, everyMs: 50 },
  );
  return {
    late: Math.max(0, Math.max(...podAt) - backAt) / 1000,
    // What was under way is given some moments: the server stops listening a little after it is told to end.
    underWay: podAt.filter((at) => at > wentAt + seconds * 1000).length,
  };
};

/** One outage after the other, `rounds` times. */
export const recovery = async (world: World, rounds: number): Promise<Row> => {
  const measured: (Recovery & { readonly seconds: number })[] = [];
  for (let index = 0; index < rounds; index += 1)
    for (const seconds of outages) measured.push({ seconds, ...(await recoveryAfter(world, seconds, index)) });
  const fewest = Math.min(...measured.map(({ underWay }) => underWay));
  return {
    measure: `API server away for ${outages.join(', ')} s → last of ${imagesUnderWay} pods after it is back`,
    measured: `${measured.map(({ late }) => round(late)).join(', ')} s; at least ${fewest} were under way`,
    ...atMost(10, ' s', Math.max(...measured.map(({ late }) => late))),
    figures: Object.fromEntries([
      ['underWay', fewest],
      ...measured.map(({ seconds, late }, index): [string, number] => [
        `away${seconds}${rounds === 1 ? '' : `round${Math.floor(index / outages.length) + 1}`}`,
        late,
      ]),
    ]),
  };
};
