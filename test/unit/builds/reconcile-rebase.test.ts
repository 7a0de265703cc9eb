import { describe, expect, it } from 'vitest';
import { PermanentError } from '../../../lib/errors/expected.ts';
import { UnsafeRebaseError } from '../../../lib/oci/base-length.ts';
import { OciError, type OciErrorCode } from '../../../lib/oci/errors.ts';
import { cosignKey } from '../../support/cosign-key.ts';
import {
  accounts,
  type BuildWorld,
  buildWorld,
  digestOf,
  ended,
  namespace,
  podPath,
  secret,
  succeededPod,
  type WorldOptions,
} from './build-world.ts';

const rebaseWorld = (options: WorldOptions = {}) =>
  buildWorld({ metadata: { generation: 1, annotations: { 'image.kpack.io/reason': 'STACK' } }, ...options });

const base64 = (text: string): string => Buffer.from(text).toString('base64');

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
    expect(await world.pass()).toMatchObject({ outcome: { code } });
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'Retrying' });
    expect(world.cluster.has(podPath)).toBe(false);
  });

  it.each([
    ['unreachable', 3, 'the registry cannot be reached from here'],
    ['timeout', 3, 'the registry cannot be reached from here'],
    ['not-asked', 0, 'the registry is not asked from here'],
    ['unauthorized', 0, 'no credential for the registry can be used from here'],
    ['denied', 0, 'no credential for the registry can be used from here'],
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

  /** The Build's account lists these Secrets with keys, the pair of each under this password. */
  const giveKeys = (world: BuildWorld, keys: Readonly<Record<string, Record<string, string>>>): void => {
    for (const [name, data] of Object.entries(keys)) {
      const encoded = Object.fromEntries(Object.entries(data).map(([key, text]) => [key, base64(text)]));
      const { path, object } = secret(name, encoded);
      world.cluster.put(path, object);
    }
    world.cluster.remove(`${accounts}/someserviceaccount`);
    world.cluster.put(accounts, {
      kind: 'ServiceAccount',
      metadata: { name: 'someserviceaccount', namespace },
      secrets: Object.keys(keys).map((name) => ({ name })),
    } as object);
  };
  const usable = { 'cosign.key': cosignKey('p').pem, 'cosign.password': 'p' };

  it('is signed with every key of the account, as the pod would, and no pod is needed', async () => {
    const world = rebaseWorld({
      spec: { cosign: { annotations: [{ name: 'team', value: 'a=b' }, { value: 'no name' }] } },
    });
    const noPassword = { 'cosign.key': cosignKey('').pem };
    giveKeys(world, { zebra: usable, aardvark: noPassword, login: { password: 'x' } });
    await world.pass();
    expect(world.condition()).toEqual({ type: 'Succeeded', status: 'True', reason: 'Completed' });
    expect(world.cluster.has(podPath)).toBe(false);
    expect(world.images.signs.map(({ image, key, annotations }) => [image, key.secret, [...annotations]])).toEqual(
      ['aardvark', 'zebra'].map((name) => [
        `index.docker.io/someimage/name@${digestOf('a')}`,
        name,
        [
          ['buildTimestamp', '19440606.133000'],
          ['buildNumber', '12'],
          ['team', 'a=b'],
        ],
      ]),
    );
  });

  it('goes to a pod when a key is none that can be used here, and the condition says which', async () => {
    const world = rebaseWorld();
    giveKeys(world, { good: usable, kms: { 'cosign.key': 'awskms:///alias/release' } });
    await world.pass();
    expect([world.images.rebases, world.images.signs]).toEqual([[], []]);
    expect(world.cluster.at(podPath).spec).toMatchObject({ initContainers: [{ name: 'rebase' }] });
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'RebaseInPod' });
    expect(world.condition()['message']).toMatch(
      /signed with Secret kms, which can only be used there: the cosign key is no/,
    );
  });

  it.each([
    ['unavailable', 'Retrying', 'said the registry'],
    ['denied', 'RebaseInPod', 'no credential for the registry can be used from here'],
    ['not-found', undefined, 'cosign sign: unable to sign image with the key of Secret key: '],
  ] as const)('whose signature is %s is not called done', async (code, reason, message) => {
    const world = rebaseWorld();
    giveKeys(world, { key: usable });
    world.images.onSign = failsWith(code);
    await world.pass();
    expect(world.condition()['status']).not.toBe('True');
    expect(world.condition()['reason']).toBe(reason);
    expect(world.condition()['message']).toContain(message);
    expect(world.cluster.has(podPath)).toBe(code === 'denied');
    if (code !== 'unavailable') return;
    world.images.onSign = () => undefined;
    await world.pass({ attempts: 1 });
    expect(world.condition()).toMatchObject({ status: 'True' });
  });

  it('that was made is not built from source because its attestation finds something missing', async () => {
    const world = rebaseWorld({
      spec: { lastBuild: { image: `registry.example/previous@${digestOf('9')}`, stackId: 'S' } },
      attest: {
        systemAccount: { namespace: 'system', name: 'controller' },
        internalParameters: {},
        release: 'v1',
        registryFor: () => Promise.reject(new Error('not reached')),
      },
    });
    world.images.known.set('someimage/name', failsWith('not-found'));
    expect(await world.pass()).toMatchObject({ outcome: { code: 'not-found' } });
    expect(world.cluster.has(podPath)).toBe(false);
  });

  it('03#194 whose last image is gone is built from source instead', async () => {
    const world = rebaseWorld();
    world.images.onRebase = failsWith('not-found');
    await world.pass();
    expect(world.cluster.at(podPath).spec).toMatchObject({ containers: [{ name: 'completion' }] });
    expect((world.cluster.at(podPath).spec as { initContainers: object[] }).initContainers).toHaveLength(6);
  });

  it.each([
    ['would have to guess', new UnsafeRebaseError('nobody knows')],
    ['meets content that is none', new OciError('invalid-content', 'nobody knows')],
  ])('that %s is built from source instead, and the condition says so, also at the end', async (_, error) => {
    const world = rebaseWorld();
    world.images.onRebase = () => {
      throw error;
    };
    await world.pass();
    expect((world.cluster.at(podPath).spec as { initContainers: object[] }).initContainers).toHaveLength(6);
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'BuiltFromSource' });
    expect(world.condition()['message']).toContain('nobody knows');
    world.podSays(succeededPod());
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'True', reason: 'Completed' });
    expect(world.condition()['message']).toContain('built from source, as the last image cannot be rebased');
  });

  it('that a pod would have to guess at is built from source by another', async () => {
    const world = rebaseWorld();
    world.images.onRebase = failsWith('denied');
    await world.pass();
    world.podSays({ phase: 'Failed', initContainerStatuses: [ended('rebase', 46)] });
    world.cluster.setLog(podPath, 'rebase', 'ERROR: rebase app image: nobody knows');
    await world.pass();
    await world.pass({ now: new Date('2026-11-21T09:00:02Z') });
    expect((world.cluster.at(podPath).spec as { initContainers: object[] }).initContainers).toHaveLength(6);
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'BuiltFromSource' });
  });

  it('to a tag that may never be moved is final, and names tag and rule', async () => {
    const world = rebaseWorld();
    world.images.onRebase = failsWith('immutable');
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'TagImmutable' });
    expect(world.condition()['message']).toContain('said the registry; name tags that may be moved');
    expect(world.cluster.has(podPath)).toBe(false);
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
