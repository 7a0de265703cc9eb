/**
 * Nobody reads Secrets they may not read by way of a build. Shown once: whoever may create Images read any Secret and
 * ConfigMap of the namespace from the build's log.
 */
import { describe, expect, it } from 'vitest';
import { imageWorld } from '../support/image-world.ts';
import { accounts, buildWorld, namespace, podPath, secret } from '../unit/builds/build-world.ts';

describe('a variable of a build', () => {
  const refs = {
    secretKeyRef: { name: 'anybody', key: 'password' },
    configMapKeyRef: { name: 'anything', key: 'k' },
    fileKeyRef: { volumeName: 'v', path: 'p', key: 'k' },
  };

  it.each(Object.entries(refs))(
    'of an Image that takes its value by %s is refused before a Build is made',
    async (kind, ref) => {
      const env = [
        { name: 'FINE', value: 'x' },
        { name: 'LOOT', valueFrom: { [kind]: ref } as object },
      ];
      const world = imageWorld();
      await world.pass();
      world.resolve();
      world.want({ build: { env } });
      await world.pass();
      expect(world.builds()).toEqual([]);
      expect(world.ready()).toMatchObject({
        status: 'False',
        reason: 'Invalid',
        message: expect.stringContaining(
          `${kind} is not supported for build environment variables: spec.build.env[1].valueFrom.${kind}`,
        ) as string,
      });
    },
  );

  it.each(Object.entries(refs))(
    'of a Build that takes its value by %s is refused before a pod is made',
    async (kind, ref) => {
      const world = buildWorld({ spec: { env: [{ name: 'LOOT', valueFrom: { [kind]: ref } }] } });
      await world.pass();
      expect(world.cluster.has(podPath)).toBe(false);
      expect(world.condition()).toMatchObject({
        status: 'False',
        reason: 'Invalid',
        message: expect.stringContaining(`spec.env[0].valueFrom.${kind}`) as string,
      });
    },
  );

  it('that tells the pod of itself is let through', async () => {
    const world = buildWorld({
      spec: { env: [{ name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] },
    });
    await world.pass();
    expect(world.cluster.has(podPath)).toBe(true);
  });
});

describe('a binding', () => {
  const bound = async (object: object, account: object = {}, viaService = false): Promise<Record<string, unknown>> => {
    const services = viaService
      ? [{ apiVersion: 'example.com/v1', kind: 'Cache', name: 'redis' }]
      : [{ kind: 'Secret', name: 'loot' }];
    const world = buildWorld({ spec: { services } });
    world.cluster.put(`/apis/example.com/v1/namespaces/${namespace}/caches`, {
      metadata: { name: 'redis' },
      status: { binding: { name: 'loot' } },
    } as object);
    const { path, object: plain } = secret('loot');
    world.cluster.put(path, {
      ...plain,
      ...object,
      metadata: { ...plain.metadata, ...(object as { metadata?: object }).metadata },
    });
    world.cluster.put(accounts, {
      kind: 'ServiceAccount',
      metadata: { name: 'another', namespace },
      ...account,
    });
    await world.pass();
    return { ...world.condition(), hasPod: world.cluster.has(podPath) };
  };
  const refused = {
    status: 'False',
    hasPod: false,
    message: expect.stringContaining('uses forbidden secret "loot"') as string,
  };

  it.each([
    ['the token of an account', { type: 'kubernetes.io/service-account-token' }, {}],
    ['a token that nodes join with', { type: 'bootstrap.kubernetes.io/token' }, {}],
    ['a credential for git', { metadata: { annotations: { 'kpack.io/git': 'https://git.example' } } }, {}],
    ['a credential for blobs', { metadata: { annotations: { 'kpack.io/blob': 'blob.example' } } }, {}],
    ['a pull secret of an account', {}, { imagePullSecrets: [{ name: 'loot' }] }],
    ['a Secret of an account', {}, { secrets: [{ name: 'loot' }] }],
  ])('cannot name %s, neither by itself nor by way of a service', async (_, object, account) => {
    expect(await bound(object, account)).toMatchObject(refused);
    expect(await bound(object, account, true)).toMatchObject(refused);
  });

  it('may name a Secret that is nobody’s credential', async () => {
    expect(await bound({})).toMatchObject({ hasPod: true });
  });

  it('of the older form cannot name one either', async () => {
    const cnbBindings = [{ name: 'b', metadataRef: { name: 'm' }, secretRef: { name: 'loot' } }];
    const world = buildWorld({ spec: { cnbBindings } });
    const { path, object } = secret('loot', {}, 'kubernetes.io/service-account-token');
    world.cluster.put(path, object);
    await world.pass();
    expect(world.condition()).toMatchObject({
      status: 'False',
      message: 'build rejected: binding "b" uses forbidden secret "loot"',
    });
  });
});
