/** One Image at a time: how long until its pod, and where the time goes. */
import type { Request } from '../audit.ts';
import { imageNamed } from '../objects.ts';
import { median, type Row, round } from '../row.ts';
import type { System } from '../system.ts';
import { until } from '../wait.ts';
import type { World } from '../world.ts';
import { ofPasses, untilQuiet } from './fan-out.ts';

const rounds = 30;

/** A moment on the way, by the request that marks it. */
const hops: readonly {
  readonly name: string;
  readonly marks: (request: Request) => boolean;
  readonly end: 'receivedAt' | 'answeredAt';
}[] = [
  {
    name: 'relay and queue → Image read',
    marks: ({ verb, resource }) => verb === 'get' && resource === 'images',
    end: 'receivedAt',
  },
  {
    name: 'resolver made',
    marks: ({ verb, resource }) => verb === 'create' && resource === 'sourceresolvers',
    end: 'answeredAt',
  },
  {
    name: 'relay and queue → resolver read',
    marks: ({ verb, resource }) => verb === 'get' && resource === 'sourceresolvers',
    end: 'receivedAt',
  },
  {
    name: 'source resolved',
    marks: ({ verb, resource }) => verb === 'update' && resource === 'sourceresolvers/status',
    end: 'answeredAt',
  },
  {
    name: 'relay and queue, Image pass → Build made',
    marks: ({ verb, resource }) => verb === 'create' && resource === 'builds',
    end: 'answeredAt',
  },
  {
    name: 'relay and queue → Build read',
    marks: ({ verb, resource }) => verb === 'get' && resource === 'builds',
    end: 'receivedAt',
  },
  { name: 'pod made', marks: ({ verb, resource }) => verb === 'create' && resource === 'pods', end: 'answeredAt' },
];

/** Milliseconds of each hop, from the answer to the Image's creation. */
const hopsOf = (requests: readonly Request[], createdAt: number): readonly number[] => {
  let before = createdAt;
  return hops.map(({ marks, end, name }) => {
    // The Image's own pass looks for its resolver before that is made; the hop is the resolver's own pass.
    const found = requests.find(
      (request) =>
        marks(request) && request[end] >= before && !(name.includes('resolver read') && request.code === 404),
    );
    const spent = found === undefined ? 0 : found[end] - before;
    before = found?.[end] ?? before;
    return spent;
  });
};

/** Creates Images one after the other, each when the one before has become quiet. */
export const latency = async (world: World, system: System): Promise<readonly Row[]> => {
  const audit = world.audit();
  const spent: number[] = [];
  const spentByHop: (readonly number[])[] = [];
  system.passes();
  for (let index = 0; index < rounds; index += 1) {
    const seen: Request[] = [];
    await world.kube.create(imageNamed(world, `one-${index}`));
    const pod = await until(
      'the pod of one Image',
      () => {
        seen.push(...audit.next());
        return seen.find(({ verb, resource, code }) => verb === 'create' && resource === 'pods' && code === 201);
      },
      { seconds: 30, everyMs: 5 },
    );
    const createdAt = seen.find(({ verb, resource }) => verb === 'create' && resource === 'images')?.answeredAt ?? 0;
    spent.push(pod.answeredAt - createdAt);
    spentByHop.push(hopsOf(ofPasses(seen), createdAt));
    await untilQuiet(audit, 150);
  }
  const [p50, longest] = [median(spent), Math.max(...spent)];
  return [
    {
      measure: `one Image at a time → its pod (${rounds} times)`,
      measured: `p50 ${round(p50)} ms, max ${round(longest)} ms`,
      goal: 'p50 ≤ 60 ms',
      reached: p50 <= 60,
      upstream: 'p50 30 ms, max 65 ms',
      figures: { p50, max: longest },
    },
    ...hops.map(({ name }, index) => {
      const middle = median(spentByHop.map((each) => each[index] ?? 0));
      return { measure: `  ${name}`, measured: `${round(middle)} ms`, figures: { p50: middle } };
    }),
  ];
};
