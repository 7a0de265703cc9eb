/** A pod that is gone, and nobody saw it going: events and its node say whether it was taken away or deleted. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { type BuildWorld, buildWorld, podPath, pods, status } from './build-world.ts';

const at = (seconds: number) => new Date(Date.parse('2026-11-21T09:00:00Z') + seconds * 1000);
const made = (world: BuildWorld): number =>
  world.cluster.writes().filter(({ method, path }) => method === 'POST' && path.endsWith('/pods')).length;
const begun = async (): Promise<BuildWorld> => {
  const world = buildWorld();
  await world.pass({ now: at(0) });
  return world;
};

describe('a pod that is gone before anybody saw it going', () => {
  const events = '/api/v1/namespaces/some-namespace/events';
  interface Told {
    readonly reason: string;
    readonly message?: string;
    readonly second?: number;
    /** Null for the taint manager, which names no uid. */
    readonly uid?: string | null;
  }
  const goneAfter = async (...told: readonly Told[]) => {
    const world = await begun();
    const { name, uid: own } = world.cluster.at(podPath).metadata as { readonly name?: string; readonly uid?: string };
    for (const [index, { reason, message = reason, second = index, uid = own }] of told.toReversed().entries())
      world.cluster.put(events, {
        kind: 'Event',
        metadata: { name: `e-${index}`, namespace: 'some-namespace' },
        involvedObject: { kind: 'Pod', name, ...(uid !== null && { uid }) },
        reason,
        message,
        lastTimestamp: at(second).toISOString(),
      } as KubeObject);
    world.cluster.remove(podPath);
    return world;
  };
  const started: Told = { reason: 'Started', second: 1 };
  const marked: Told = {
    reason: 'TaintManagerEviction',
    message: 'Marking for deletion Pod some-namespace/build-name-build-pod',
    uid: null,
  };
  const preempted: Told = { reason: 'Preempted', message: 'Preempted by pod 1234 on node n' };
  const silent: Told = { reason: 'NodeNotReady', message: 'Node is not ready' };

  it.each([
    [preempted, 'Preempted'],
    [silent, 'NodeLost'],
    [marked, 'Evicted'],
  ])('is made again when the last event is %j', async (last, reason) => {
    const world = await goneAfter(started, { ...last, second: 20 });
    await world.pass({ now: at(30) });
    expect(world.condition()).toMatchObject({
      status: 'Unknown',
      reason,
      message: expect.stringContaining(last.message ?? '') as string,
    });
    await world.pass({ now: at(41) });
    expect(made(world)).toBe(2);
  });

  it.each<[string, ...Told[]]>([
    ['the taint went again', started, { ...marked, message: 'Cancelling deletion of Pod', second: 20 }],
    [
      'the taint was put on and went again',
      started,
      { ...marked, second: 10 },
      { ...marked, message: 'Cancelling deletion of Pod', second: 20 },
    ],
    ['the pod of the name before had the taint', { ...marked, second: 0 }, { ...started, second: 20 }],
    ['another pod is meant', started, { ...preempted, uid: 'another' }],
    ['nothing of the kind was told', started, { reason: 'Killing' }],
    ['its node came back before', started, { ...silent, second: 10 }, { reason: 'Killing', second: 20 }],
  ])('was deleted when %s', async (_, ...told) => {
    const world = await goneAfter(...told);
    await world.pass({ now: at(30) });
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'PodDeleted' });
  });

  describe('with its node', () => {
    const ranOn = async (...nodes: readonly string[]) => {
      const world = await begun();
      const { metadata, spec, ...pod } = world.cluster.at(podPath) as Pod & {
        readonly metadata: { readonly name: string };
      };
      world.cluster.put(pods, { ...pod, metadata, spec: { ...spec, nodeName: 'n' } } as object);
      world.podSays({ phase: 'Pending', initContainerStatuses: [status('prepare', { running: {} })] });
      await world.pass({ now: at(5) });
      for (const name of nodes) world.cluster.put('/api/v1/nodes', { kind: 'Node', metadata: { name } });
      world.cluster.remove(podPath);
      return world;
    };

    it('was lost with it, as the pod garbage collector tells nobody', async () => {
      const world = await ranOn();
      await world.pass({ now: at(30) });
      expect(world.condition()).toMatchObject({
        status: 'Unknown',
        reason: 'NodeLost',
        message: expect.stringContaining('node n is gone, and the pod with it') as string,
      });
      await world.pass({ now: at(41) });
      expect(made(world)).toBe(2);
    });

    it('was deleted when the node is still there, or nodes may not be read', async () => {
      const [there, hidden] = [await ranOn('n'), await ranOn()];
      hidden.cluster.failNext('GET', '/nodes', 403, { message: 'nodes "n" is forbidden: User "kpackless" cannot get' });
      for (const world of [there, hidden]) {
        await world.pass({ now: at(30) });
        expect(world.condition()).toMatchObject({ status: 'False', reason: 'PodDeleted' });
      }
    });

    it('is asked for again while the API server does not say whether the node is there', async () => {
      const world = await ranOn();
      world.cluster.failNext('GET', '/nodes', 503, { message: 'busy' });
      await world.pass({ now: at(30) });
      expect(world.condition()).not.toMatchObject({ reason: 'PodDeleted' });
    });
  });

  it('was deleted, as far as is known, where events may not be read', async () => {
    const world = await goneAfter(preempted);
    world.cluster.failNext('GET', '/events', 403, {
      message: 'events is forbidden: User "kpackless" cannot list resource "events"',
    });
    await world.pass({ now: at(1) });
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'PodDeleted' });
  });
});
