/** A world in which a cluster at EKS is added: AWS and the cluster answer, and what they are asked is kept. */
import type { Reached } from '../../infra/command/reach.ts';
import { KubeError } from '../../lib/kube/errors.ts';
import type { KubeObject } from '../../lib/kube/object.ts';
import { Clusters } from '../../lib/state/clusters.ts';
import { type Answers, fakeAws } from './command-aws.ts';
import { type CommandWorld, commandWorld } from './command-run.ts';
import { FakeKube } from './fake-kube.ts';

/** The relay. */
export const image = `111111111111.dkr.ecr.eu-west-1.amazonaws.com/kpackless/relay@sha256:${'a'.repeat(64)}`;
const open: CommandWorld[] = [];

/** Ends all worlds of a test. */
export const endWorlds = (): void => {
  for (const world of open.splice(0)) world[Symbol.dispose]();
};

/** A world with a cluster at EKS, which holds nothing but `objects`. */
export const begin = (answers: Answers = {}, ...objects: readonly KubeObject[]) => {
  const { aws, asked } = fakeAws(answers);
  const kube = new FakeKube();
  for (const object of objects) kube.put(object);
  const applied: KubeObject[] = [];
  const client = {
    get: kube.get.bind(kube),
    // It serves no mutating policies, as EKS does not.
    list: async (kind: string) => {
      throw new KubeError('not-found', `GET ${kind}: the server could not find the requested resource`, {
        status: 404,
      });
    },
    apply: async (object: KubeObject) => {
      applied.push(object);
      return object;
    },
  };
  const transport = { server: 'k.example', send: async () => ({ status: 200, body: '{"major":"1","minor":"33"}' }) };
  const world = commandWorld({
    aws,
    reach: async () => ({ client, transport, close: () => undefined }) as unknown as Reached,
  });
  open.push(world);
  return {
    world,
    asked,
    applied,
    add: (...more: readonly string[]) => world.run('cluster', 'add', 'prod', '--eks', 'production', ...more),
    /** What was made or changed, as `side operation`. */
    written: () =>
      asked
        .filter(({ operation }) => !/^(?:Get(?!Role)|List|Describe)/.test(operation))
        .map(({ side, operation }) => `${side} ${operation}`),
    registered: () => new Clusters(world.table).registration('prod'),
    inputOf: (operation: string, index = 0): Record<string, unknown> =>
      asked.filter((one) => one.operation === operation)[index]?.input ?? {},
  };
};

/** Options that make one. */
export const withRelay = ['--relay-image', image] as const;
