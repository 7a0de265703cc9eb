/** One Image at a time: how long until its pod, and where the time goes. */
import type { KubeObject } from '../../../lib/kube/object.ts';
import type { AuditedRequest } from '../../support/audit-line.ts';
import { commonChain, type Hop, hopsOf } from '../hops.ts';
import { imageNamed } from '../objects.ts';
import { atMost, median, type Row, round } from '../row.ts';
import type { System } from '../system.ts';
import { until } from '../wait.ts';
import { ownUser, type World } from '../world.ts';
import { isPod, untilQuiet } from './fan-out.ts';

const rounds = 30;

/** From an Image's creation to its pod, milliseconds since 1970, as the API server's log has them. */
export interface Way {
  readonly name: string;
  readonly createdAt: number;
  readonly podAt: number;
}

/** Creates Images one after the other, each when the one before has become quiet. `user` is the controller's. */
export const oneAtATime = async (
  world: World,
  names: readonly string[],
  user: string = ownUser,
  imageOf: (world: World, name: string) => KubeObject = imageNamed,
): Promise<readonly Way[]> => {
  const audit = world.audit();
  const ways: Way[] = [];
  for (const name of names) {
    const seen: AuditedRequest[] = [];
    await world.kube.create(imageOf(world, name));
    const pod = await until(
      'the pod of one Image',
      () => {
        seen.push(...audit.next());
        return seen.find(isPod);
      },
      { seconds: 30, everyMs: 5 },
    );
    const created = seen.find(({ verb, resource }) => verb === 'create' && resource === 'images');
    ways.push({ name, createdAt: created?.answeredAt ?? 0, podAt: pod.answeredAt });
    await untilQuiet(audit, 150, 60, user);
  }
  return ways;
};

const hopRow = ({ name, waited, took }: Hop): Row => ({
  measure: `  ${name}`,
  measured: `${round(waited)} ms until it began, ${round(took)} ms itself`,
  figures: { waited, took },
});

/** Thirty Images, and the hops that most of them took. */
export const latency = async (world: World, system: System): Promise<readonly Row[]> => {
  system.passes();
  const names = Array.from({ length: rounds }, (_, index) => `one-${index}`);
  const ways = await oneAtATime(world, names);
  const passes = system.passes();
  const spent = ways.map(({ createdAt, podAt }) => podAt - createdAt);
  const { hops, taken } = commonChain(ways.map(({ name, createdAt, podAt }) => hopsOf(passes, name, createdAt, podAt)));
  const [p50, longest] = [median(spent), Math.max(...spent)];
  return [
    {
      measure: `one Image at a time → its pod (${rounds} times)`,
      measured: `p50 ${round(p50)} ms, max ${round(longest)} ms; ${hops.length} hops, the same for ${taken}`,
      upstream: 'p50 55 ms, max 116 ms',
      ...atMost(44, ' ms p50', p50),
      figures: { p50, max: longest, hops: hops.length },
    },
    ...hops.map(hopRow),
  ];
};
