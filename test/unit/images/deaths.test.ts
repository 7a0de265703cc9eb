/**
 * The process may die after any write: repeated passes come to the same end, and nothing is made twice. Each story is told without a
 * death, then with one after each of its writes, then with two.
 */
import { describe, expect, it } from 'vitest';
import { Died } from '../../support/fake-kube.ts';
import type { PassEnd } from '../../support/fake-pass.ts';
import {
  badStatus,
  digest,
  goodStatus,
  type ImageWorldOptions,
  imageWorld,
  revision,
} from '../../support/image-world.ts';

type World = ReturnType<typeof imageWorld>;

interface Story {
  readonly options?: ImageWorldOptions;
  /** `pass` goes on after a death as the next receive of the message would. */
  readonly tell: (world: World, pass: () => Promise<unknown>) => Promise<void>;
}

const volume = { cache: { volume: { size: '1Gi' } } };
const commit = (character: string) =>
  ({ git: { url: 'https://git.example/app', revision: revision(character), type: 'Branch' } }) as const;

const stories: Readonly<Record<string, Story>> = {
  'an Image becomes a Build': {
    options: { spec: volume },
    tell: async (world, pass) => {
      await pass();
      world.resolve();
      await pass();
      await pass();
      world.finish(1, goodStatus);
      await pass();
    },
  },
  'a commit, with more Builds than are kept': {
    options: { spec: { ...volume, successBuildHistoryLimit: 1, failedBuildHistoryLimit: 1 } },
    tell: async (world, pass) => {
      world.past(1, badStatus);
      world.past(2, badStatus);
      world.past(3, goodStatus);
      world.past(4, goodStatus);
      await pass();
      world.resolve(commit('b'));
      await pass();
      world.finish(5, goodStatus);
      await pass();
    },
  },
  'a commit right after a success, its Build still running': {
    options: { spec: volume },
    tell: async (world, pass) => {
      await pass();
      world.resolve();
      await pass();
      world.finish(1, goodStatus);
      world.resolve(commit('b'));
      await pass();
      await pass();
    },
  },
  'a cache and a commit at once, the Build still running': {
    tell: async (world, pass) => {
      await pass();
      world.resolve();
      await pass();
      world.finish(1, goodStatus);
      await pass();
      world.want(volume);
      world.resolve(commit('b'));
      await pass();
      await pass();
    },
  },
  'source and cache change': {
    options: { spec: volume },
    tell: async (world, pass) => {
      await pass();
      world.resolve();
      await pass();
      world.finish(1, goodStatus);
      world.want({ cache: {}, source: { git: { url: 'https://git.example/other', revision: 'main' } } });
      await pass();
      world.resolve(commit('c'));
      await pass();
      world.finish(2, badStatus);
      await pass();
      world.offer({ latestImage: `registry.example/builder@${digest('9')}` });
      await pass();
      world.finish(3, goodStatus);
      await pass();
    },
  },
};

/** What can be told apart from outside: not uids, versions and times. */
const endOf = (world: World): unknown =>
  JSON.parse(
    JSON.stringify(
      [
        world.image(),
        ...world.kube.all('SourceResolver'),
        ...world.kube.all('PersistentVolumeClaim'),
        ...world.kube.all('Build'),
      ],
      (key, value: unknown) =>
        ['uid', 'resourceVersion', 'creationTimestamp', 'lastTransitionTime'].includes(key)
          ? undefined
          : typeof value === 'string'
            ? value.replace(/\.\d{8}\.\d{6}$/, '')
            : value,
    ),
  );

/** Tells the story with deaths after the given numbers of writes, each counted from the last; gives its end and all its writes. */
const told = async ({ options, tell }: Story, deaths: readonly number[] = []) => {
  const world = imageWorld(options);
  const writes: string[] = [];
  const left = [...deaths];
  const arm = (): void => {
    const next = left.shift();
    if (next === undefined) world.kube.live();
    else world.kube.dieAfterWrites(next);
  };
  arm();
  const pass = async (): Promise<PassEnd> => {
    for (;;)
      try {
        const end = await world.pass();
        writes.push(...end.writes);
        return end;
      } catch (error) {
        if (!(error instanceof Died)) throw error;
        writes.push(...world.kube.writes);
        arm();
      }
  };
  await tell(world, pass);
  world.kube.live();
  return { end: endOf(world), writes, quiet: (await world.pass()).writes };
};

describe('deaths', () => {
  it.each(Object.entries(stories))('%s', async (_name, story) => {
    const whole = await told(story);
    expect(whole.quiet).toStrictEqual([]);
    const moments = whole.writes.map((_write, index) => index + 1);
    const pairs = moments.flatMap((first) => moments.slice(0, -first).map((second) => [first, second]));
    for (const deaths of [...moments.map((moment) => [moment]), ...pairs]) {
      const { end, writes, quiet } = await told(story, deaths);
      expect({ deaths, end }).toStrictEqual({ deaths, end: whole.end });
      expect({ deaths, quiet }).toStrictEqual({ deaths, quiet: [] });
      const created = writes.filter((write) => write.startsWith('create') && !write.endsWith('(refused)'));
      expect(created).toHaveLength(new Set(created).size);
    }
    expect(moments.length).toBeGreaterThan(4);
  });
});

describe('requests', () => {
  it('an Image with a cache costs two children, a Build and, up to there, one status, and few reads', async () => {
    const world = imageWorld({ spec: volume });
    const first = await world.pass();
    expect(first.writes).toStrictEqual([
      'create PersistentVolumeClaim some-namespace/image-name-cache',
      'create SourceResolver some-namespace/image-name-source',
    ]);
    world.resolve();
    const second = await world.pass();
    expect(second.writes).toStrictEqual([
      'create Build some-namespace/image-name-build-1',
      'replaceStatus Image some-namespace/image-name',
    ]);
    expect([first.reads, second.reads]).toStrictEqual([4, 4]);
    const running = await world.pass();
    expect(running).toMatchObject({ writes: [], reads: 3 });
    world.finish(1, goodStatus);
    expect((await world.pass()).writes).toStrictEqual(['replaceStatus Image some-namespace/image-name']);
    expect(await world.pass()).toMatchObject({ writes: [], reads: 5 });
  });
});
