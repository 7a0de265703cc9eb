import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BuilderWorld, builderWorld } from '../../support/builder-world.ts';
import { storeDockerImage } from '../../support/buildpack-images.ts';

describe('a ClusterStack', () => {
  let world: BuilderWorld;
  const user = ['CNB_USER_ID=1000', 'CNB_GROUP_ID=1000'];

  const image = (name: string, mixins: readonly string[], env: readonly string[] = []): string =>
    storeDockerImage(world.registry, name, {
      labels: { 'io.buildpacks.stack.id': 's', 'io.buildpacks.stack.mixins': JSON.stringify(mixins) },
      env,
    });
  const putStack = (more: Readonly<Record<string, unknown>> = {}): void => {
    const { host } = world.registry;
    const spec = {
      id: 's',
      buildImage: { image: `${host}/s/build:1` },
      runImage: { image: `${host}/s/run:1` },
      ...more,
    };
    world.put('ClusterStack', 'stack', { spec });
  };

  beforeEach(async () => {
    world = await builderWorld();
    image('s/build:1', ['a', 'build:b'], user);
    image('s/run:1', ['a', 'run:r']);
  });
  afterEach(() => world.registry.close());

  it('04#35 resolves both images with the account it names', async () => {
    putStack({ serviceAccountRef: { name: 'sa', namespace: 'ns' } });
    await world.reconcile('ClusterStack', 'stack');
    expect(world.accounts).toEqual([{ namespace: 'ns', serviceAccount: 'sa' }]);
    expect(world.status('ClusterStack', 'stack')).toMatchObject({
      id: 's',
      mixins: ['a', 'build:b', 'run:r'],
      userId: 1000,
      conditions: [{ type: 'Ready', status: 'True' }],
    });
  });

  it('04#34 keeps what was resolved when its images no longer fit, and says so', async () => {
    putStack();
    await world.reconcile('ClusterStack', 'stack');
    image('s/run:1', ['build:x']);
    await world.reconcile('ClusterStack', 'stack');
    expect(world.status('ClusterStack', 'stack')).toMatchObject({
      userId: 1000,
      conditions: [{ status: 'False', message: 'run image contains build-only mixin(s): build:x' }],
    });
  });

  it.each([
    [
      'of root',
      ['CNB_USER_ID=0', 'CNB_GROUP_ID=0'],
      'CNB_USER_ID is 0: no build runs as root; give the stack another user',
    ],
    ['that is not said', ['CNB_GROUP_ID=1000'], 'ENV CNB_USER_ID not found'],
    ['that is no number', ['CNB_USER_ID=x', 'CNB_GROUP_ID=1000'], 'invalid syntax'],
  ])('with a user %s is refused where it is declared, and the message names the image', async (_, env, words) => {
    image('s/build:1', ['a', 'build:b'], env);
    putStack();
    await world.reconcile('ClusterStack', 'stack');
    const { conditions } = world.status('ClusterStack', 'stack') as {
      readonly conditions: readonly { readonly message: string }[];
    };
    expect(conditions).toMatchObject([{ type: 'Ready', status: 'False' }]);
    expect(conditions[0]?.message).toContain(words);
    expect(conditions[0]?.message).toContain(`(${world.registry.host}/s/build:1)`);
  });

  it('with a group of root is taken: its user is not', async () => {
    image('s/build:1', ['a', 'build:b'], ['CNB_USER_ID=1001', 'CNB_GROUP_ID=0']);
    putStack();
    await world.reconcile('ClusterStack', 'stack');
    expect(world.status('ClusterStack', 'stack')).toMatchObject({ userId: 1001, conditions: [{ status: 'True' }] });
  });

  it('says which of its images is of no stack', async () => {
    storeDockerImage(world.registry, 's/run:1', { labels: {}, env: [] });
    putStack();
    await world.reconcile('ClusterStack', 'stack');
    expect(world.status('ClusterStack', 'stack')).toMatchObject({
      conditions: [{ message: `could not find label io.buildpacks.stack.id (${world.registry.host}/s/run:1)` }],
    });
  });

  it('follows a run image that is pushed anew under its tag', async () => {
    putStack();
    const { memory } = await world.reconcile('ClusterStack', 'stack');
    const digest = image('s/run:1', ['a', 'run:r', 'run:new']);
    await world.reconcile('ClusterStack', 'stack', { memory });
    expect(world.status('ClusterStack', 'stack')).toMatchObject({
      runImage: { latestImage: `${world.registry.host}/s/run@${digest}` },
    });
  });
});
