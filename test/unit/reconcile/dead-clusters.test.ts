/** Twenty clusters of a thousand Images, of which one refuses and one swallows everything for an hour: it disturbs nobody and costs next to nothing (DESIGN §3.14). */
import { expect, it } from 'vitest';
import { parkingLanes } from '../../../lib/state/keys.ts';
import { type Counts, virtualFleet } from '../../support/virtual-fleet.ts';

const hour = 3600;
const day = 24 * hour;
const images = 1000;
const clusters = Array.from({ length: 20 }, (_, at) => `c${at}`);
const [refusing = '', swallowing = ''] = clusters;
const dead: ReadonlySet<string> = new Set([refusing, swallowing]);

/** The same each time, and spread evenly. */
const spread = (cluster: number, image: number, over: number): number => (cluster * 7919 + image * 104_729) % over;

const p95 = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? 0;

/** An hour of work with or without dead clusters, and what follows when they are back. */
const run = async (areDead: boolean) => {
  const fleet = virtualFleet(clusters);
  for (const [at, cluster] of clusters.entries())
    for (let image = 0; image < images; image += 1) {
      const name = `app-${image}`;
      // One in twenty is unfinished, and looks every few minutes; the others once a day.
      await fleet.exists(cluster, name, spread(at, image, image % 20 === 0 ? 600 : day));
      // Of a cluster that refuses, nobody hears of edits; the relay of one that only functions cannot reach tells of them.
      if (image % 3 === 0 && cluster !== refusing) fleet.edit(cluster, name, 60 + spread(at, image, hour));
    }
  if (areDead) {
    fleet.set(refusing, 'refuses');
    fleet.set(swallowing, 'swallows');
  }
  await fleet.time.pass(hour);
  const waits = fleet.began.filter(({ cluster }) => !dead.has(cluster)).map(({ waited }) => waited);
  const caused = [...dead].map((cluster): Counts => ({ ...fleet.countsOf(cluster) }));
  return { fleet, waits, caused };
};

it('05#59 two dead clusters of twenty cost the others nothing that can be measured, and the account less than one call a second; back again, they have all that waited within minutes', async () => {
  const without = await run(false);
  await without.fleet.stop();
  const beside = await run(true);
  const { fleet, waits, caused } = beside;
  expect(waits.length).toBeGreaterThan(6000);
  expect(waits.length).toBe(without.waits.length);
  expect(p95(waits)).toBeLessThanOrEqual(1.1 * p95(without.waits));
  const all = caused.reduce((sum, { requests, messages, writes }) => sum + requests + messages + writes, 0);
  expect(all / hour).toBeLessThan(1);

  const parked = async (): Promise<number> => {
    const lanes = [...dead].flatMap((cluster) =>
      parkingLanes.map((lane) => fleet.records.parked(cluster, lane, 10_000)),
    );
    return (await Promise.all(lanes)).reduce((sum, { dues }) => sum + dues.length, 0);
  };
  const waiting = await parked();
  expect(waiting).toBeGreaterThan(400);
  for (const cluster of dead) fleet.set(cluster, 'answers');
  const backAt = fleet.time.now;
  const before = fleet.began.length;
  await fleet.time.pass(480);
  expect(await parked()).toBe(0);
  const passes = fleet.began.slice(before).filter(({ cluster }) => dead.has(cluster));
  expect(passes.length).toBeGreaterThanOrEqual(waiting);
  // Woken at a bounded rate, whatever a second is looked at.
  for (const cluster of dead) {
    const perSecond = Map.groupBy(
      passes.filter((one) => one.cluster === cluster),
      ({ at }) => Math.floor((at - backAt) / 1000),
    );
    expect(Math.max(...[...perSecond.values()].map(({ length }) => length))).toBeLessThanOrEqual(75);
  }
  await fleet.stop();
}, 120_000);
