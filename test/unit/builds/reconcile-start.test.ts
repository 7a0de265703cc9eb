import { describe, expect, it } from 'vitest';
import { OciError } from '../../../lib/oci/errors.ts';
import { accounts, builderFacts, buildWorld, namespace, podPath, pods, secret } from './build-world.ts';

const unknown = { type: 'Succeeded', status: 'Unknown' };
const url = new URL('https://registry.example/v2/a/manifests/b');

describe('a new Build', () => {
  it('02#123 that is gone again is no failure', async () => {
    const world = buildWorld();
    world.cluster.remove('/apis/kpack.io/v1alpha2/namespaces/some-namespace/builds/build-name');
    expect(await world.pass()).toMatchObject({ outcome: 'gone' });
    expect(world.cluster.writes()).toEqual([]);
  });

  it('02#124 02#127 gets its pod and says so', async () => {
    const world = buildWorld({ metadata: { generation: 3 } });
    await world.pass();
    expect(world.cluster.has(podPath)).toBe(true);
    expect(world.condition()).toEqual(unknown);
    expect(world.build().status).toMatchObject({ podName: 'build-name-build-pod', observedGeneration: 3 });
  });

  it('02#125 03#192 adopts the pod that an interrupted pass left', async () => {
    const world = buildWorld();
    world.cluster.failNext('PUT', '/status', 503);
    expect(await world.pass()).toMatchObject({ outcome: { code: 'server' } });
    await world.pass();
    expect(world.cluster.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
    expect(world.build().status).toMatchObject({ podName: 'build-name-build-pod' });
  });

  it('leaves the first word to the first event of the pod, and says it within seconds where none comes', async () => {
    const world = buildWorld();
    expect(await world.pass({ isFirst: true })).toMatchObject({ outcome: { done: false, afterSeconds: 10 } });
    expect(world.build().status).toBeUndefined();
    await world.pass();
    expect(world.condition()).toEqual(unknown);
  });

  it('02#126 writes nothing when there is nothing new', async () => {
    const world = buildWorld();
    await world.pass();
    const before = world.cluster.writes().length;
    await world.pass();
    expect(world.cluster.writes()).toHaveLength(before);
  });

  it('needs few requests', async () => {
    const world = buildWorld();
    await world.pass();
    expect(
      world.cluster.requests.map(({ method, path }) => `${method} ${path.split('/').slice(-2).join('/')}`),
    ).toEqual([
      'GET builds/build-name',
      'GET pods/build-name-build-pod',
      'GET serviceaccounts/someserviceaccount',
      'POST some-namespace/pods',
      'PUT build-name/status',
    ]);
  });
});

describe('what the pod is made from', () => {
  it('02#129 a registry that is down is asked again, and the condition says why', async () => {
    const world = buildWorld();
    world.images.known.set('builder.example/b', () => {
      throw new OciError('unavailable', '503 Service Unavailable', { method: 'GET', url });
    });
    expect(await world.pass()).toMatchObject({ outcome: { pace: 'soon' } });
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'Retrying' });
    expect(world.condition()['message']).toContain('503 Service Unavailable');
    world.images.known.set('builder.example/b', builderFacts);
    await world.pass();
    expect(world.condition()).toEqual(unknown);
  });

  it('02#159 a missing Secret is waited for, by name', async () => {
    const world = buildWorld();
    world.cluster.put(accounts, {
      kind: 'ServiceAccount',
      metadata: { name: 'someserviceaccount', namespace },
      secrets: [{ name: 'gone' }],
    } as object);
    expect(await world.pass()).toMatchObject({
      outcome: { pace: 'slow' },
      dependencies: [{ kind: 'ServiceAccount', namespace, name: 'someserviceaccount' }],
    });
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'MissingSecret' });
    expect(world.condition()['message']).toContain('secrets "gone" not found');
    const found = secret('gone');
    world.cluster.put(found.path, found.object);
    expect(await world.pass()).toMatchObject({ dependencies: [] });
    expect(world.cluster.has(podPath)).toBe(true);
  });

  it('a missing ServiceAccount is waited for and declared, so that its arrival wakes us', async () => {
    const world = buildWorld({ spec: { serviceAccountName: 'late' } });
    expect(await world.pass()).toMatchObject({
      dependencies: [{ kind: 'ServiceAccount', namespace, name: 'late' }],
    });
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'MissingServiceAccount' });
    expect(world.condition()['message']).toContain('serviceaccounts "late" not found');
  });

  it.each([
    ['02#158', { secrets: [{ name: '' }] }, 'ServiceAccount has invalid Secret reference'],
    ['02#158', { imagePullSecrets: [{}] }, 'ServiceAccount has invalid ImagePullSecret reference'],
  ])('%s an entry without a name is final: %j', async (_, lists, message) => {
    const world = buildWorld();
    const account = { kind: 'ServiceAccount', metadata: { name: 'someserviceaccount', namespace }, ...lists };
    world.cluster.put(accounts, account);
    await world.pass();
    expect(world.condition()).toEqual({ type: 'Succeeded', status: 'False', message });
  });

  it('02#128 02#162 03#99 an image that cannot build is final, without a pod name', async () => {
    const world = buildWorld();
    world.images.known.set('builder.example/b', { ...builderFacts, os: 'windows' });
    await world.pass();
    expect(world.condition()).toEqual({
      type: 'Succeeded',
      status: 'False',
      message: 'windows builds are not supported',
    });
    expect(world.build().status).not.toHaveProperty('podName');
    await world.pass();
    expect(world.images.reads).toHaveLength(1);
  });

  it('03#84 takes secrets and pull secrets in the account’s order, each once', async () => {
    const world = buildWorld();
    world.cluster.put(accounts, {
      kind: 'ServiceAccount',
      metadata: { name: 'someserviceaccount', namespace },
      secrets: [{ name: 'b' }, { name: 'a' }, { name: 'b' }],
      imagePullSecrets: [{ name: 'p' }, { name: 'a' }, { name: 'p' }],
    } as object);
    for (const name of ['a', 'b']) {
      const { path, object } = secret(name, {}, 'kubernetes.io/dockerconfigjson');
      world.cluster.put(path, object);
    }
    await world.pass();
    const { volumes } = world.cluster.at(podPath).spec as {
      volumes: { name: string; secret?: { secretName: string } }[];
    };
    expect(volumes.flatMap(({ name, secret }) => (secret === undefined ? [] : `${name}=${secret.secretName}`))).toEqual(
      ['secret-volume-0=b', 'secret-volume-1=a', 'pull-secret-volume-0=p', 'pull-secret-volume-1=builder-pull-secret'],
    );
  });

  it('02#160 02#161 03#97 a provisioned service says its Secret, and is waited for while it is not there', async () => {
    const services = [{ kind: 'Cache', apiVersion: 'example.com/v1', name: 'redis' }];
    const world = buildWorld({ spec: { services, cnbBindings: [{ name: 'old', metadataRef: { name: 'm' } }] } });
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'MissingService' });
    expect(world.condition()['message']).toContain('caches "redis" not found');
    world.cluster.put(`/apis/example.com/v1/namespaces/${namespace}/caches`, {
      metadata: { name: 'redis' },
      status: { binding: { name: 'redis-secret' } },
    } as object);
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'MissingSecret' });
    const { path, object } = secret('redis-secret');
    world.cluster.put(path, object);
    await world.pass();
    const { volumes } = world.cluster.at(podPath).spec as { volumes: object[] };
    expect(volumes.at(-1)).toEqual({ name: 'binding-redis', secret: { secretName: 'redis-secret' } });
  });

  it('02#157 a service may not use a Secret of any account', async () => {
    const world = buildWorld({ spec: { services: [{ kind: 'Secret', name: 's' }] } });
    world.cluster.put(accounts, {
      kind: 'ServiceAccount',
      metadata: { name: 'another', namespace },
      secrets: [{ name: 's' }],
    } as object);
    await world.pass();
    expect(world.condition()).toMatchObject({
      status: 'False',
      message: 'build rejected: service "s" uses forbidden secret "s"',
    });
  });
});

describe('the builder', () => {
  const ref = (kind: string, refNamespace?: string) => ({
    builder: { ref: { kind, name: 'the-builder', ...(refNamespace === undefined ? {} : { namespace: refNamespace }) } },
  });

  it('02#154 03#85 is a ClusterBuilder’s latest image, read as its own account', async () => {
    const world = buildWorld({ spec: ref('ClusterBuilder') });
    world.cluster.put('/apis/kpack.io/v1alpha2/clusterbuilders', {
      kind: 'ClusterBuilder',
      metadata: { name: 'the-builder' },
      spec: { serviceAccountRef: { namespace: 'builders', name: 'reader' } },
      status: { latestImage: 'cb.example/b@sha256:1' },
    } as object);
    world.images.known.set('cb.example/b@sha256:1', builderFacts);
    await world.pass();
    expect(world.images.reads[0]?.account).toEqual({
      behalf: { namespace: 'some-namespace' },
      namespace: 'builders',
      serviceAccount: 'reader',
    });
    expect(world.cluster.has(podPath)).toBe(true);
  });

  it('03#86 is a Builder’s latest image, waited for until it has one', async () => {
    const world = buildWorld({ spec: ref('Builder', 'others') });
    expect(await world.pass()).toMatchObject({
      dependencies: [{ kind: 'ServiceAccount' }, { kind: 'Builder', namespace: 'others', name: 'the-builder' }],
    });
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'BuilderNotReady' });
    world.cluster.put('/apis/kpack.io/v1alpha2/namespaces/others/builders', {
      kind: 'Builder',
      metadata: { name: 'the-builder', namespace: 'others' },
      spec: { serviceAccountName: 'its-own' },
      status: { latestImage: 'nb.example/b' },
    } as object);
    world.images.known.set('nb.example/b', builderFacts);
    await world.pass();
    // As the Build: what the accounts of another namespace may do is not its to use.
    expect(world.images.reads[0]?.account).toMatchObject({
      namespace: 'some-namespace',
      serviceAccount: 'someserviceaccount',
    });
  });

  it('is read as the account of a Builder of its own namespace', async () => {
    const world = buildWorld({ spec: ref('Builder', 'some-namespace') });
    world.cluster.put('/apis/kpack.io/v1alpha2/namespaces/some-namespace/builders', {
      kind: 'Builder',
      metadata: { name: 'the-builder', namespace: 'some-namespace' },
      spec: { serviceAccountName: 'its-own' },
      status: { latestImage: 'nb.example/b' },
    } as object);
    world.images.known.set('nb.example/b', builderFacts);
    await world.pass();
    expect(world.images.reads[0]?.account).toMatchObject({ namespace: 'some-namespace', serviceAccount: 'its-own' });
  });

  it.each([
    ['02#155', ref('Builder'), 'unable to resolve builder image: spec.builder.ref.namespace is empty'],
    ['02#156 03#87', ref('Foo'), 'unable to parse builder kind "Foo"'],
  ])('%s a reference that can mean nothing is final', async (_, spec, message) => {
    const world = buildWorld({ spec });
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'False', message: expect.stringContaining(message) as string });
  });
});

describe('creating the pod', () => {
  it('02#130 03#191 a pod that the API server finds invalid is final', async () => {
    const world = buildWorld();
    world.cluster.failNext('POST', '/pods', 422, { message: 'Pod "build-name-build-pod" is invalid: because' });
    await world.pass();
    expect(world.condition()).toMatchObject({
      status: 'False',
      message: 'Pod "build-name-build-pod" is invalid: because',
    });
  });

  it('02#131 a pod that a quota forbids is tried again slowly, and the condition says it', async () => {
    const world = buildWorld();
    const message = 'pods "build-name-build-pod" is forbidden: exceeded quota: q';
    world.cluster.failNext('POST', '/pods', 403, { message });
    expect(await world.pass()).toMatchObject({ outcome: { pace: 'slow' } });
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'Retrying' });
    expect(world.condition()['message']).toContain('exceeded quota');
    expect(world.condition()['message']).not.toContain('rolebinding');
  });

  it.each([
    ['kpack-build-high-priority', 'kubectl create priorityclass kpack-build-high-priority --value=1000'],
    [
      'kpack-build-low-priority',
      'kubectl create priorityclass kpack-build-low-priority --value=1 --preemption-policy=Never',
    ],
    ['mine', 'create it, or name another in spec.priorityClassName'],
  ])('05#3 a priority class %s that is not there is named with what to do', async (name, what) => {
    const world = buildWorld({ spec: { priorityClassName: name } });
    const message = `pods "build-name-build-pod" is forbidden: no PriorityClass with name ${name} was found`;
    world.cluster.failNext('POST', '/pods', 403, { message });
    expect(await world.pass()).toMatchObject({ outcome: { pace: 'slow' } });
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'PodRefused' });
    expect(world.condition()['message']).toContain(what);
    await world.pass();
    expect(world.cluster.has(podPath)).toBe(true);
  });

  it('a missing grant is named with the binding to apply', async () => {
    const world = buildWorld();
    const message = 'serviceaccounts "x" is forbidden: User "kpackless" cannot get resource "serviceaccounts"';
    world.cluster.failNext('GET', '/serviceaccounts/', 403, { message });
    await world.pass();
    expect(world.condition()['message']).toContain(
      'kubectl create rolebinding kpackless-tenant -n some-namespace --clusterrole=kpackless-tenant --user=kpackless',
    );
  });

  it('02#132 a foreign pod of the name is left alone and waited for', async () => {
    const world = buildWorld();
    world.cluster.put(pods, {
      kind: 'Pod',
      metadata: {
        name: 'build-name-build-pod',
        namespace,
        ownerReferences: [
          { apiVersion: 'kpack.io/v1alpha2', kind: 'Build', name: 'build-name', uid: 'older', controller: true },
        ],
      },
    });
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'PodNameTaken' });
    expect(world.condition()['message']).toContain('belongs to Build build-name with uid older');
    world.cluster.remove(podPath);
    await world.pass();
    expect(world.condition()).toEqual(unknown);
  });
});
