/**
 * Whatever stands in a field of any of the ten kinds, in a Secret or in an annotation: a pass ends with an outcome or one of the two expected
 * failures, never with a bug, which would be retried five times and end among the dead letters. Places are taken from the schemas, so a new field
 * is among them by itself.
 */
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schemas } from '../../infra/crds/schemas.ts';
import { structuralSchema } from '../../infra/crds/structural-schema.ts';
import { type Kind, kindNames } from '../../lib/api/kinds.ts';
import * as labels from '../../lib/api/labels.ts';
import { alone, changed, type Place, placesIn, strangeTexts, valuesFor } from './any-value.ts';
import { type AnyObject, type AnyWorld, anyWorld, type Stage } from './any-world.ts';

/** Who reads an object of a kind, itself included. */
const readersOf: Readonly<Record<Kind | 'Pod' | 'Secret' | 'ServiceAccount', readonly Kind[]>> = {
  Image: ['Image'],
  Build: ['Build', 'Image'],
  SourceResolver: ['SourceResolver', 'Image'],
  Builder: ['Builder', 'Image'],
  ClusterBuilder: ['ClusterBuilder'],
  Buildpack: ['Buildpack', 'Builder'],
  ClusterBuildpack: ['ClusterBuildpack', 'ClusterBuilder'],
  ClusterStore: ['ClusterStore', 'ClusterBuilder'],
  ClusterStack: ['ClusterStack', 'ClusterBuilder'],
  ClusterLifecycle: ['ClusterLifecycle', 'ClusterBuilder'],
  Pod: ['Build'],
  Secret: ['SourceResolver', 'Buildpack', 'Build'],
  ServiceAccount: ['SourceResolver', 'Buildpack', 'Build', 'Image'],
};

let world: AnyWorld;
beforeAll(async () => {
  world = await anyWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** When a reader finds most to do with what it reads. */
const stagesFor = (reader: Kind): readonly Stage[] => {
  if (reader === 'Build') return ['fresh', 'ran'];
  return reader === 'Image' ? ['ended'] : ['fresh'];
};

/** One change of one object, and who reads it. */
interface Case {
  readonly what: string;
  readonly kind: string;
  readonly name?: string;
  readonly change: (object: AnyObject) => AnyObject;
  readonly reader: Kind;
}

const unprintable = /(?!\n)[\p{C}\p{Zl}\p{Zp}]/u;

interface Said {
  readonly conditions?: readonly { readonly message?: string; readonly reason?: string }[];
}

const isMeant = ({ kind, name }: Case, object: AnyObject): boolean =>
  object.kind === kind && (name === undefined || object.metadata?.name === name);

/** What is wrong with one pass over a world that is changed so; undefined when nothing is. */
const complaintAt = async (changedBy: Case, stage: Stage): Promise<string | undefined> => {
  const { reader, change } = changedBy;
  const objects = world.stages[stage].map((one) => (isMeant(changedBy, one) ? change(one) : one));
  const cluster = world.clusterOf(objects);
  try {
    if ((await world.pass(cluster, reader)).outcome === 'gone') return 'did not find its object';
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 6).join('\n') : String(error);
  }
  // What a tenant wrote into a status by hand and no pass replaced is the tenant's.
  if (!cluster.writes().some(({ path }) => path.endsWith('/status'))) return undefined;
  const { conditions = [] } = world.statusOf(cluster, reader) as Said;
  const texts = conditions.flatMap(({ message = '', reason = '' }) => [message, reason]);
  return texts.some((text) => unprintable.test(text)) ? 'said something unprintable' : undefined;
};

const complaint = async (one: Case): Promise<string | undefined> => {
  for (const stage of stagesFor(one.reader)) {
    const found = await complaintAt(one, stage);
    if (found !== undefined) return found;
  }
  return undefined;
};

/** All complaints, each once: the same stack for many values is one bug. */
const complaintsAbout = async (cases: Iterable<Case>): Promise<readonly string[]> => {
  const seen = new Map<string, string>();
  for (const one of cases) {
    const found = await complaint(one);
    if (found !== undefined && !seen.has(found)) seen.set(found, `${one.what}, read by ${one.reader}: ${found}`);
  }
  return [...seen.values()];
};

const show = (value: unknown): string => {
  try {
    return (JSON.stringify(value) ?? 'nothing').slice(0, 60);
  } catch {
    return 'something very deep';
  }
};

const changing = (kind: string, { path }: Pick<Place, 'path'>, value: unknown, reader: Kind, schema = {}): Case => ({
  what: `${kind} with ${show(value)} at ${path.join('.')}`,
  kind,
  change: (object) => changed(alone(object, path, schema), path, value, schema) as AnyObject,
  reader,
});

/** One round tries some of the values at each place; more rounds, set by hand, try all. */
const rounds = Number(process.env['KPACKLESS_FUZZ_ROUNDS'] ?? 1);
const timeout = { timeout: 30_000 * rounds };

/** Some of the values, others at each place and for each reader. */
const someOf = <T>(values: readonly T[], place: number, turn: number): readonly T[] =>
  Array.from({ length: Math.min(rounds, values.length) }, (_, round) => round * 5 + place * 7 + turn * 3).flatMap(
    (index) => values.slice(index % values.length, (index % values.length) + 1),
  );

const casesOf = function* (kind: Kind): Generator<Case> {
  const schema = structuralSchema(schemas[kind]);
  const places = ['spec', 'status'].flatMap((part) => placesIn(schema.properties?.[part] ?? {}, [part]));
  for (const [index, place] of places.entries())
    for (const [turn, reader] of readersOf[kind].entries())
      for (const value of someOf(valuesFor(place), index, turn)) yield changing(kind, place, value, reader, schema);
};

describe('the world that is changed', () => {
  it.each(kindNames)('is well: %s', async (kind) => {
    for (const stage of stagesFor(kind))
      expect(await world.pass(world.clusterOf(world.stages[stage]), kind)).toMatchObject({
        outcome: { done: expect.any(Boolean) as boolean },
      });
  });
});

describe('any value at any place of', timeout, () => {
  it.each(kindNames)('%s', async (kind) => {
    expect(await complaintsAbout(casesOf(kind))).toEqual([]);
  });
});

const annotations: readonly Place['path'][] = Object.entries(labels)
  .filter(([name, value]) => name.endsWith('Annotation') && typeof value === 'string')
  .map(([, key]) => ['metadata', 'annotations', key as string]);
const states = ['initContainerStatuses', 'containerStatuses'].flatMap((list): readonly Place['path'][] => [
  ['status', list, 0, 'name'],
  ['status', list, 0, 'state', 'terminated', 'message'],
  ['status', list, 0, 'state', 'terminated', 'reason'],
  ['status', list, 0, 'state', 'waiting', 'reason'],
  ['status', list, 0, 'state', 'waiting', 'message'],
]);

/** Where texts are that no schema of ours knows. */
const beside: readonly (readonly [kind: keyof typeof readersOf, paths: readonly Place['path'][]])[] = [
  ...kindNames.map((kind) => [kind, annotations] as const),
  ['ServiceAccount', ['secrets', 'imagePullSecrets'].map((list) => [list, 0, 'name'])],
  ['Pod', [...['phase', 'reason', 'message'].map((key) => ['status', key]), ...states]],
];

describe('any text', timeout, () => {
  it.each(beside)('beside the schema of a %s', async (kind, paths) => {
    const cases = paths.flatMap((path, index) =>
      readersOf[kind].flatMap((reader, turn) =>
        someOf(strangeTexts, index, turn).map((text) => changing(kind, { path }, text, reader)),
      ),
    );
    expect(await complaintsAbout(cases)).toEqual([]);
  });

  const secrets = ['docker', 'basic', 'git', 'ssh', 'cosign', 'slsa', 'blob'] as const;

  it.each(secrets)('in the Secret %s', async (name) => {
    const secret = world.stages.fresh.find((one) => one.kind === 'Secret' && one.metadata?.name === name);
    const { data } = secret as unknown as { readonly data: Readonly<Record<string, string>> };
    const paths = [
      ...Object.keys(data).map((key) => ['data', key]),
      ...Object.keys(secret?.metadata?.annotations ?? {}).map((key) => ['metadata', 'annotations', key]),
    ];
    const cases = paths.flatMap((path, index) =>
      readersOf.Secret.flatMap((reader, turn) =>
        someOf(strangeTexts, index, turn).map((text): Case => {
          const value = path[0] === 'data' ? Buffer.from(text).toString('base64') : text;
          return { ...changing('Secret', { path }, value, reader), name };
        }),
      ),
    );
    expect(await complaintsAbout(cases)).toEqual([]);
  });
});

describe('any text in the Secret of a blob', timeout, () => {
  it.each(['authorization', 'bearer', 'username'])('as its %s', async (key) => {
    for (const text of [...strangeTexts, 'Bearer a\r\nx: y', 'ü', '€']) {
      const data = { [key]: Buffer.from(text).toString('base64') };
      const objects = world.stages.fresh.map((one): AnyObject => {
        if (one.kind === 'Secret' && one.metadata?.name === 'blob') return { ...one, data };
        const source = { blob: { url: 'http://127.0.0.1:1/a', auth: 'secret' } };
        return one.kind === 'SourceResolver' ? { ...one, spec: { serviceAccount: 'app', source } } : one;
      });
      const { outcome } = await world.pass(world.clusterOf(objects), 'SourceResolver');
      expect(outcome).toMatchObject({ done: expect.any(Boolean) as boolean });
    }
  });
});

describe('any bytes', timeout, () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom(...strangeTexts),
    fc.tuple(fc.constantFrom(...strangeTexts), fc.constantFrom(':', '/', '@', '?')).map((parts) => parts.join('')),
  );

  it.each(kindNames)('at any two places of a %s', async (kind) => {
    const schema = structuralSchema(schemas[kind]);
    const places = ['spec', 'status']
      .flatMap((part) => placesIn(schema.properties?.[part] ?? {}, [part]))
      .filter(({ takes }) => takes === 'text');
    const place = fc.constantFrom(...places);
    const reader = fc.constantFrom(...readersOf[kind]);
    await fc.assert(
      fc.asyncProperty(place, text, place, text, reader, async (one, a, two, b, who) => {
        const first = changing(kind, one, a, who, schema);
        const second = changing(kind, two, b, who, schema);
        expect(await complaint({ ...second, change: (object) => second.change(first.change(object)) })).toBeUndefined();
      }),
      { seed: 9, numRuns: 8 * rounds },
    );
  });
});
