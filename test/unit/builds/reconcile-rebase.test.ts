import { describe, expect, it } from 'vitest';
import { PermanentError } from '../../../lib/errors/expected.ts';
import { OciError, type OciErrorCode } from '../../../lib/oci/errors.ts';
import { accounts, buildWorld, digestOf, namespace, podPath, secret, type WorldOptions } from './build-world.ts';

const rebaseWorld = (options: WorldOptions = {}) =>
  buildWorld({ metadata: { generation: 1, annotations: { 'image.kpack.io/reason': 'STACK' } }, ...options });

const failsWith = (code: OciErrorCode) => () => {
  throw new OciError(code, 'said the registry', {
    method: 'GET',
    url: new URL('https://registry.example/v2/a/manifests/b'),
  });
};

describe('a rebase', () => {
  it('is done in the registry, without a pod, and says what it made', async () => {
    const world = rebaseWorld({
      spec: { lastBuild: { image: 'registry.example/previous', stackId: 'S', cache: { image: 'cache@sha256:1' } } },
    });
    expect(await world.pass()).toMatchObject({ outcome: { done: true } });
    expect(world.images.rebases).toEqual([
      {
        image: 'registry.example/previous',
        runImage: 'builderregistry.io/run',
        tags: ['someimage/name', 'someimage/name:tag2', 'someimage/name:tag3'],
      },
    ]);
    expect(world.cluster.has(podPath)).toBe(false);
    expect(world.condition()).toEqual({ type: 'Succeeded', status: 'True', reason: 'Completed' });
    expect(world.build().status).toMatchObject({
      latestImage: `index.docker.io/someimage/name@${digestOf('a')}`,
      latestCacheImage: 'cache@sha256:1',
      stack: { id: 'S', runImage: `builderregistry.io/run@${digestOf('d')}` },
      stepsCompleted: ['rebase'],
      buildMetadata: [{ id: 'test/bp', version: '1.0.0' }],
    });
  });

  it('writes once', async () => {
    const world = rebaseWorld();
    await world.pass();
    expect(world.cluster.writes().map(({ method }) => method)).toEqual(['PUT']);
  });

  it.each(['unavailable', 'throttled', 'unreachable', 'timeout'] as const)('is tried again when %s', async (code) => {
    const world = rebaseWorld();
    world.images.onRebase = failsWith(code);
    expect(await world.pass()).toMatchObject({ failure: { code } });
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'Retrying' });
    expect(world.cluster.has(podPath)).toBe(false);
  });

  it.each([
    ['unreachable', 3, 'the registry cannot be reached from here'],
    ['timeout', 3, 'the registry cannot be reached from here'],
    ['unauthorized', 0, 'the credentials for the registry are not among the Secrets'],
    ['denied', 0, 'the credentials for the registry are not among the Secrets'],
  ] as const)(
    'that is %s after %i tries goes to a pod, and the condition says why',
    async (code, attempts, because) => {
      const world = rebaseWorld();
      world.images.onRebase = failsWith(code);
      await world.pass({ attempts });
      expect(world.cluster.at(podPath).spec).toMatchObject({ initContainers: [{ name: 'rebase' }] });
      expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'RebaseInPod' });
      expect(world.condition()['message']).toContain(because);
      world.podSays({ phase: 'Running' });
      await world.pass();
      expect(world.condition()['message']).toContain(because);
    },
  );

  it('of a signed image goes to a pod, where the keys are', async () => {
    const world = rebaseWorld();
    const key = secret('signing', { 'cosign.key': 'S0VZ' });
    world.cluster.put(key.path, key.object);
    world.cluster.put(accounts, {
      kind: 'ServiceAccount',
      metadata: { name: 'someserviceaccount', namespace },
      secrets: [{ name: 'signing' }],
    } as object);
    await world.pass();
    expect(world.images.rebases).toEqual([]);
    expect(world.condition()['message']).toContain('signed with Secret signing');
  });

  it('03#194 whose last image is gone is built from source instead', async () => {
    const world = rebaseWorld();
    world.images.onRebase = failsWith('not-found');
    await world.pass();
    expect(world.cluster.at(podPath).spec).toMatchObject({ containers: [{ name: 'completion' }] });
    expect((world.cluster.at(podPath).spec as { initContainers: object[] }).initContainers).toHaveLength(6);
  });

  it('that cannot be done is final', async () => {
    const world = rebaseWorld();
    world.images.onRebase = () => {
      throw new PermanentError('', "incompatible stack: 'T' is not compatible with 'S'");
    };
    await world.pass();
    expect(world.condition()).toEqual({
      type: 'Succeeded',
      status: 'False',
      message: "incompatible stack: 'T' is not compatible with 'S'",
    });
  });
});
