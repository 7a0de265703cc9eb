/** A Build that kpack began goes on with the pod that kpack made for it, when whoever took the cluster over vouched for that very pod. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import type { Build } from '../../../lib/api/build.ts';
import { takenOverKey, takenOverList } from '../../../lib/builds/taken-over.ts';
import { controllerReference, type KubeObject } from '../../../lib/kube/object.ts';
import { type BuildWorld, buildWorld, lifecycleSteps, pods, succeededPod } from './build-world.ts';

const buildOf = (world: BuildWorld): Build => world.build() as object as Build;
const lists = `/api/v1/namespaces/${takenOverKey.namespace}/configmaps`;

/** A pod as kpack makes it: our names of steps, other images. */
const kpackPod = (world: BuildWorld, { uid = 'kpacks-pod', image = 'kpack.example/step' } = {}): Pod & KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'build-name-build-pod',
      namespace: 'some-namespace',
      uid,
      ownerReferences: [controllerReference({ ...world.build(), apiVersion: 'kpack.io/v1alpha2', kind: 'Build' })],
    } as NonNullable<KubeObject['metadata']>,
    spec: {
      initContainers: lifecycleSteps.map((name) => ({ name, image })),
      containers: [{ name: 'completion', image }],
    },
    status: succeededPod(),
  }) as Pod & KubeObject;

describe('a pod that kpack made', () => {
  it('is gone on with when it was listed, and nothing else is made', async () => {
    const world = buildWorld();
    const pod = kpackPod(world);
    world.cluster.put(pods, pod);
    world.cluster.put(lists, takenOverList([[buildOf(world), pod]]));
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'True' });
    expect(world.cluster.writes().map(({ method }) => method)).not.toContain('POST');
  });

  it.each<[string, (world: BuildWorld) => readonly (readonly [Build, Pod])[]]>([
    ['was not listed', () => []],
    ['has another uid than what was listed', (world) => [[buildOf(world), kpackPod(world, { uid: 'another' })]]],
    ['had an image changed since', (world) => [[buildOf(world), kpackPod(world, { image: 'kpack.example/before' })]]],
    [
      'was listed for an earlier Build of the name',
      (world) => {
        const { metadata, ...rest } = buildOf(world);
        const earlier = { ...rest, metadata: { ...metadata, uid: 'earlier' } };
        const owned = [controllerReference({ ...earlier, apiVersion: 'kpack.io/v1alpha2', kind: 'Build' })];
        const pod = kpackPod(world);
        return [[earlier, { ...pod, metadata: { ...pod.metadata, ownerReferences: owned } } as Pod]];
      },
    ],
  ])('is not believed when it %s', async (_what, listed) => {
    const world = buildWorld();
    world.cluster.put(pods, kpackPod(world));
    world.cluster.put(lists, takenOverList(listed(world)));
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'Unknown', reason: 'PodNameTaken' });
  });

  it('is not believed where the list may not be read', async () => {
    const world = buildWorld();
    const pod = kpackPod(world);
    world.cluster.put(pods, pod);
    world.cluster.put(lists, takenOverList([[buildOf(world), pod]]));
    world.cluster.failNext('GET', takenOverKey.name, 403);
    await world.pass();
    expect(world.condition()).toMatchObject({ reason: 'PodNameTaken' });
  });

  it('is not listed when it is not its Build’s', () => {
    const world = buildWorld();
    const pod = { ...kpackPod(world), metadata: { name: 'build-name-build-pod', uid: 'x' } } as Pod;
    expect(takenOverList([[buildOf(world), pod]]).data).toStrictEqual({});
  });
});
