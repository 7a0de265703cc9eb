/**
 * A tenant makes, changes and replaces pods in its own namespace, to have the system's key sign what no builder built. Each of
 * these was believed, or would be if a pod were known by its owner reference; docs/decisions/0006-whose-pod.md says by what it is known instead.
 */
import type { ContainerStatus, Pod } from 'kubernetes-types/core/v1.d.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeRegistry, startFakeRegistry } from '../support/fake-registry.ts';
import { type AttestingWorld, builderImage } from '../unit/builds/attesting-world.ts';
import {
  appFacts,
  builds,
  digestOf,
  ended,
  lifecycleSteps,
  namespace,
  podPath,
  pods,
  type WorldOptions,
} from '../unit/builds/build-world.ts';
import { attackedWorld, builtUnsigned, edit, podNow, seen, statusOf, taken, withImage } from './tenant-pods.ts';

let registry: FakeRegistry;
beforeEach(async () => {
  registry = await startFakeRegistry();
});
afterEach(async () => await registry.close());

const begin = (options?: WorldOptions): AttestingWorld => attackedWorld(registry, options);

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

describe('a pod written by hand before ours', () => {
  it('with our owner reference, labels and step names is not ours, whatever its steps say', async () => {
    const world = begin();
    world.cluster.put(pods, written(world));
    await world.pass();
    expect(await seen(world)).toEqual(taken('is not as it would be made for this Build'));
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
    expect(await seen(waiting)).toEqual(taken('is not as it would be made'));
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
      metadata: { ...old.metadata, ownerReferences: [owner('another-uid')] },
      status: world.endedWell(),
    }));
    await world.pass();
    expect(await seen(world)).toEqual(taken('is not as it would be made for this Build'));
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
    expect(await seen(world)).toEqual(taken('is not the one that was made for this Build'));
  });

  it('and deleted again leaves an image that the registry has, and no signature', async () => {
    const app = `${registry.host}/team/app`;
    const tags = [app, `${app}:b12.20261121.080000`];
    const world = begin({ spec: { tags } });
    world.images.known.set(tags[1] ?? '', appFacts);
    await world.pass();
    world.cluster.remove(podPath);
    await world.pass();
    expect(await seen(world)).toEqual(builtUnsigned('its pod is gone'));
  });
});

describe('our pod, changed while it runs', () => {
  it.each(lifecycleSteps)('in the image of %s is no longer ours', async (step) => {
    const world = begin();
    await world.pass();
    edit(world, (pod) => ({ ...withImage(pod, step, 'attacker.example/step'), status: world.endedWell() }));
    await world.pass();
    expect(await seen(world)).toEqual(taken('had the image of a container changed after it was made'));
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
      expect(await seen(world)).toEqual(builtUnsigned(`ran`));
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
    expect(await seen(world)).toEqual(
      builtUnsigned(`the step analyze ran ${digestOf('6')}, not the image it was made with`),
    );
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
    expect(await seen(world)).toEqual(builtUnsigned('the step build was started more than once'));
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
    expect(await seen(world)).toEqual(builtUnsigned('a debugging container'));
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
    expect(await seen(world)).toEqual(taken('spec.volumes differs'));
  });
});
