/**
 * A tenant makes, changes and replaces pods in its own namespace, to have the system's key sign what no builder built (issue 9, point 5). Each of
 * these was believed, or would be if a pod were known by its owner reference; docs/decisions/0006-whose-pod.md says by what it is known instead.
 */
import { generateKeyPairSync } from 'node:crypto';
import type { ContainerStatus, Pod } from 'kubernetes-types/core/v1.d.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sourceMessage } from '../../lib/builds/source-message.ts';
import { type FakeRegistry, startFakeRegistry } from '../support/fake-registry.ts';
import {
  type AttestingWorld,
  attestingWorld,
  base64,
  builderImage,
  commit,
  ranWell,
} from '../unit/builds/attesting-world.ts';
import {
  appFacts,
  builds,
  completionMessage,
  digestOf,
  ended,
  lifecycleSteps,
  namespace,
  podPath,
  pods,
  type WorldOptions,
} from '../unit/builds/build-world.ts';

let registry: FakeRegistry;
beforeEach(async () => {
  registry = await startFakeRegistry();
});
afterEach(async () => await registry.close());

const systemKey = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();

/** A world whose system has a key. */
const begin = (options: WorldOptions = {}): AttestingWorld => {
  const world = attestingWorld(registry, options);
  world.give('system', 'controller', { key: { 'ssh-privatekey': base64(systemKey) } });
  return world;
};

const name = 'build-name-build-pod';
const owner = (uid = 'build-uid') => ({
  apiVersion: 'kpack.io/v1alpha2',
  kind: 'Build',
  name: 'build-name',
  uid,
  controller: true,
});

/** What a tenant would write: owned and labelled as ours, with containers of our names that say what is wanted of them. */
const written = (world: AttestingWorld) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace,
    labels: { 'kpack.io/build': 'build-name' },
    ownerReferences: [owner()],
  },
  spec: {
    restartPolicy: 'Never',
    initContainers: lifecycleSteps.map((step) => ({ name: step, image: builderImage })),
    containers: [{ name: 'completion', image: 'attacker.example/forger' }],
  },
  status: world.endedWell(),
});

const podNow = (world: AttestingWorld): Pod => world.cluster.at(podPath) as unknown as Pod;
/** Somebody changes the pod in the cluster; it stays the same pod. */
const edit = (world: AttestingWorld, change: (pod: Pod) => Pod): void => {
  const pod = change(podNow(world));
  world.cluster.remove(podPath);
  world.cluster.put(pods, pod as object);
};
const withImage = (pod: Pod, step: string, image: string): Pod => ({
  ...pod,
  spec: {
    ...pod.spec,
    containers: pod.spec?.containers ?? [],
    initContainers: (pod.spec?.initContainers ?? []).map((one) => (one.name === step ? { ...one, image } : one)),
  },
});
const statusOf = (statuses: readonly ContainerStatus[], step: string, change: object): ContainerStatus[] =>
  statuses.map((one) => (one.name === step ? { ...one, ...change } : one));

const notSigned = async (world: AttestingWorld): Promise<void> => {
  await expect(world.attestation()).rejects.toMatchObject({ code: 'not-found' });
  expect(world.build().status).not.toHaveProperty('latestAttestationImage');
};
/** The Build waits, and nothing was done with the pod or its image. */
const taken = async (world: AttestingWorld, why: string): Promise<void> => {
  const deletions = world.cluster.requests.filter(({ method }) => method === 'DELETE');
  expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'PodNameTaken' });
  expect(world.condition()['message']).toContain(why);
  expect(world.condition()['message']).toContain('delete it');
  expect(deletions).toEqual([]);
  await notSigned(world);
};
/** The Build ended well by what the registry has, and no key was used. */
const builtUnsigned = async (world: AttestingWorld, why: string): Promise<void> => {
  expect(world.condition()).toMatchObject({ status: 'True', reason: 'Completed' });
  expect(world.condition()['message']).toContain('not attested');
  expect(world.condition()['message']).toContain(why);
  await notSigned(world);
};

describe('a pod written by hand before ours', () => {
  it('with our owner reference, labels and step names is not ours, whatever its steps say', async () => {
    const world = begin();
    world.cluster.put(pods, written(world) as object);
    await world.pass();
    await taken(world, 'is not as it would be made for this Build');
    world.cluster.remove(podPath);
    await world.pass();
    expect(world.condition()).toEqual({ type: 'Succeeded', status: 'Unknown' });
    expect(podNow(world).spec?.containers[0]?.image).toBe('steps');
  });

  it('is not stopped by us when its Build is cancelled, nor when it never ends', async () => {
    const world = begin({ metadata: { annotations: { 'build.kpack.io/cancel': '' } } });
    world.cluster.put(pods, { ...written(world), status: { phase: 'Running' } } as object);
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'Cancelled' });
    expect(world.cluster.has(podPath)).toBe(true);

    const waiting = begin();
    const image = { waiting: { reason: 'ErrImagePull' } };
    const status = {
      phase: 'Pending',
      startTime: '2026-01-01T00:00:00Z',
      containerStatuses: [{ ...ended('completion'), state: image }],
    };
    waiting.cluster.put(pods, { ...written(waiting), status } as object);
    await waiting.pass();
    await taken(waiting, 'is not as it would be made');
  });

  it('while the record of an earlier Build of the name is there is not ours either', async () => {
    const world = begin();
    await world.pass();
    const old = podNow(world);
    // The Build is deleted and made again with another source; its old pod is kept from collection by a new owner reference.
    const build = world.build();
    world.cluster.remove(`${builds}/build-name`);
    world.cluster.put(builds, {
      ...build,
      metadata: { ...build.metadata, uid: 'another-uid', resourceVersion: undefined },
      spec: { ...(build.spec as object), source: { git: { url: 'https://reviewed.example/app', revision: 'main' } } },
      status: undefined,
    } as object);
    edit(world, () => ({
      ...old,
      metadata: { ...old.metadata, ownerReferences: [owner('another-uid')] } as object,
      status: world.endedWell(),
    }));
    await world.pass();
    await taken(world, 'is not as it would be made for this Build');
  });
});

describe('our pod, replaced', () => {
  it.each([
    ['with another builder', (pod: Pod) => withImage(pod, 'build', 'attacker.example/builder')],
    ['by one just like it', (pod: Pod) => pod],
  ])('%s, under its name and with its owner reference, is not ours', async (_, change) => {
    const world = begin();
    await world.pass();
    const { metadata, ...pod } = change(podNow(world));
    world.cluster.remove(podPath);
    world.cluster.put(pods, {
      ...pod,
      metadata: { ...metadata, uid: 'made-by-hand' },
      status: world.endedWell(),
    } as object);
    await world.pass();
    await taken(world, 'is not the one that was made for this Build');
  });

  it('and deleted again leaves an image that the registry has, and no signature', async () => {
    const app = `${registry.host}/team/app`;
    const tags = [app, `${app}:b12.20261121.080000`];
    const world = begin({ spec: { tags } });
    world.images.known.set(tags[1] ?? '', appFacts);
    await world.pass();
    world.cluster.remove(podPath);
    await world.pass();
    await builtUnsigned(world, 'its pod is gone');
  });
});

describe('our pod, changed while it runs', () => {
  it.each(lifecycleSteps)('in the image of %s is no longer ours', async (step) => {
    const world = begin();
    await world.pass();
    edit(world, (pod) => ({ ...withImage(pod, step, 'attacker.example/step'), status: world.endedWell() }));
    await world.pass();
    await taken(world, 'had the image of a container changed after it was made');
  });

  it.each(['prepare', 'build', 'export'])(
    'and changed back after %s ran is told by what the node ran',
    async (step) => {
      const world = begin();
      await world.pass();
      const status = world.endedWell();
      const imageID = `attacker.example/step@${digestOf('6')}`;
      world.podSays({ ...status, initContainerStatuses: statusOf(status.initContainerStatuses, step, { imageID }) });
      await world.pass();
      await builtUnsigned(world, `ran`);
    },
  );

  it('by a step that is named by digest is told, too', async () => {
    const world = begin({ spec: { builder: { image: `${builderImage}@${digestOf('b')}` } } });
    await world.pass();
    const status = world.endedWell();
    const imageID = `attacker.example/step@${digestOf('6')}`;
    const run = lifecycleSteps
      .slice(1)
      .reduce(
        (all, step) => statusOf(all, step, { imageID }),
        status.initContainerStatuses as readonly ContainerStatus[],
      );
    world.podSays({ ...status, initContainerStatuses: [...run] });
    await world.pass();
    await builtUnsigned(world, `the step analyze ran ${digestOf('6')}, not the image it was made with`);
  });

  it('by a step that was started again is not signed for', async () => {
    const world = begin();
    await world.pass();
    const status = world.endedWell();
    world.podSays({
      ...status,
      initContainerStatuses: statusOf(status.initContainerStatuses, 'build', { restartCount: 1 }),
    });
    await world.pass();
    await builtUnsigned(world, 'the step build was started more than once');
  });

  it('by a debugging container builds, and is not signed for', async () => {
    const world = begin();
    await world.pass();
    edit(world, (pod) => ({
      ...pod,
      spec: {
        ...pod.spec,
        containers: pod.spec?.containers ?? [],
        ephemeralContainers: [{ name: 'debug', image: 'sh' }],
      },
      status: world.endedWell(),
    }));
    await world.pass();
    await builtUnsigned(world, 'a debugging container');
  });
});

describe('what code of the application can write', () => {
  it('is no source: neither a label of the image nor a file behind it', async () => {
    const world = begin();
    const label = JSON.stringify({
      source: {
        type: 'git',
        metadata: { repository: 'https://reviewed.example/app' },
        version: { commit: 'f'.repeat(40) },
      },
    });
    const labels = { ...appFacts.labels, 'io.buildpacks.project.metadata': label };
    world.images.known.set(`${registry.host}/team/app`, { ...appFacts, labels });
    await world.built();
    const { statement } = await world.attestation();
    expect(JSON.stringify(statement)).not.toContain('reviewed.example');
    expect(statement.predicate.buildDefinition.resolvedDependencies[0]).toEqual({
      name: 'source',
      uri: 'https://github.com/a/b',
      digest: { sha1: commit },
    });
  });

  it('is no lifecycle: its version is the builder’s', async () => {
    const world = begin();
    const build = JSON.stringify({ launcher: { version: '99.99.99' } });
    world.images.known.set(`${registry.host}/team/app`, {
      ...appFacts,
      labels: { ...appFacts.labels, 'io.buildpacks.build.metadata': build },
    });
    await world.built();
    expect(JSON.stringify((await world.attestation()).statement)).not.toContain('99.99.99');
  });

  it.each([
    ['another image of the repository', (app: string) => `${app}@${digestOf('7')}`],
    ['an image of another repository', (app: string) => `${app.replace('/team/', '/victim/')}@${digestOf('a')}`],
    ['an image without a digest', (app: string) => app],
  ])('does not make it %s that is signed: the tag must say so, too', async (_, image) => {
    const world = begin();
    await world.pass();
    const status = world.endedWell();
    const message = completionMessage({ latestImage: image(`${registry.host}/team/app`) });
    world.podSays({ ...status, containerStatuses: [ranWell('completion', message)] });
    await world.pass();
    await builtUnsigned(world, 'the pod says that it made');
  });

  it('does not fetch: a source that the Build does not name is told', async () => {
    const world = begin();
    await world.pass();
    const status = world.endedWell();
    const message = sourceMessage({ type: 'blob', id: 'e'.repeat(64) });
    world.podSays({
      ...status,
      initContainerStatuses: statusOf(status.initContainerStatuses, 'prepare', {
        state: { terminated: { exitCode: 0, message } },
      }),
    });
    await world.pass();
    await builtUnsigned(world, 'another source than the Build names');
  });
});

describe('the spec of a Build, changed after it began', () => {
  /** As where the admission policy is missing. */
  const change = (world: AttestingWorld): void => {
    const { spec, metadata, ...build } = world.build();
    world.cluster.remove(`${builds}/build-name`);
    const source = { git: { url: 'https://reviewed.example/app', revision: 'main' } };
    world.cluster.put(builds, {
      ...build,
      metadata: { ...metadata, generation: 2 },
      spec: { ...(spec as object), source },
    } as object);
  };

  it.each(['Running', 'Succeeded'])('ends it, and its pod that is %s; nothing is signed', async (phase) => {
    const world = begin();
    await world.pass();
    world.podSays(phase === 'Running' ? { phase } : world.endedWell());
    change(world);
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'SpecChanged' });
    expect(world.cluster.has(podPath)).toBe(phase === 'Succeeded');
    await notSigned(world);
    await world.pass();
    expect(world.cluster.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  it('and whose record was lost with the change makes its pod somebody else’s', async () => {
    const world = begin();
    await world.pass();
    world.podSays(world.endedWell());
    change(world);
    world.loseRecord();
    await world.pass();
    await taken(world, 'spec.initContainers[prepare].env');
  });

  it('is not changed by defaults of a newer schema', async () => {
    const world = begin();
    await world.pass();
    const { spec, ...build } = world.build();
    world.cluster.remove(`${builds}/build-name`);
    world.cluster.put(builds, { ...build, spec: { ...(spec as object), defaultProcess: 'web' } } as object);
    world.podSays(world.endedWell());
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'True' });
  });
});

describe('a pass that dies after it made the pod', () => {
  it('leaves a pod that the next one takes up: one pod, and it is signed for', async () => {
    const world = begin();
    await world.pass();
    world.loseRecord();
    world.podSays(world.endedWell());
    await world.pass();
    expect(world.cluster.requests.filter(({ method, path }) => method === 'POST' && path === pods)).toHaveLength(1);
    expect(world.condition()).toEqual({ type: 'Succeeded', status: 'True', reason: 'Completed' });
    expect((await world.attestation()).envelope.signatures).toHaveLength(1);
  });

  it('leaves one that is nobody’s when what it is made from moved meanwhile: people decide', async () => {
    const world = begin();
    await world.pass();
    world.loseRecord();
    world.cluster.remove(`/api/v1/namespaces/${namespace}/serviceaccounts/someserviceaccount`);
    world.give(namespace, 'someserviceaccount', { more: { username: '', password: '' } });
    world.cluster.remove(`/api/v1/namespaces/${namespace}/secrets/more`);
    world.cluster.put(`/api/v1/namespaces/${namespace}/secrets`, {
      kind: 'Secret',
      type: 'kubernetes.io/dockerconfigjson',
      metadata: { name: 'more', namespace },
    } as object);
    await world.pass();
    await taken(world, 'spec.volumes differs');
  });
});

describe('what an attestation shows', () => {
  it('is variables by name and URLs without secrets', async () => {
    const world = begin({
      spec: {
        env: [
          { name: 'PASSWORD', value: 'sesame' },
          { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
        ] as never,
        source: { git: { url: 'https://bob:hunter2@github.com/a/b?token=tok3n', revision: 'main' } },
        services: [{ kind: 'Secret', name: 'database' }],
      },
    });
    await world.built();
    const { statement } = await world.attestation();
    expect(statement.predicate.buildDefinition.externalParameters).toMatchObject({
      env: [{ name: 'PASSWORD' }, { name: 'TOKEN' }],
      services: [{ kind: 'Secret', name: 'database' }],
    });
    expect(statement.predicate.buildDefinition.resolvedDependencies[0]).toMatchObject({
      uri: 'https://github.com/a/b?token=REDACTED',
    });
    for (const secret of ['sesame', 'hunter2', 'tok3n', 'secretKeyRef'])
      expect(JSON.stringify(statement)).not.toContain(secret);
  });
});
