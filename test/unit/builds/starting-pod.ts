/** A pod that a node has taken and that does not start, and what nodes say of such pods. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { type BuildWorld, buildWorld, namespace, podPath, type WorldOptions, waits } from './build-world.ts';

export const at = (seconds: number) => new Date(Date.parse('2026-11-21T09:00:00Z') + seconds * 1000);
const events = `/api/v1/namespaces/${namespace}/events`;
export const base: WorldOptions = { spec: { cache: {}, builder: { image: 'builder.example/b' } } };

/** As kubelets report a pod that they took and whose volumes they cannot mount. */
export const starting: NonNullable<Pod['status']> = {
  phase: 'Pending',
  startTime: '2026-11-21T09:00:00Z',
  conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime: '2026-11-21T09:00:00Z' }],
  initContainerStatuses: ['prepare', 'analyze'].map((name) => waits(name, 'PodInitializing')),
  containerStatuses: [waits('completion', 'PodInitializing')],
};
export const begun = async (
  options: WorldOptions = base,
  podStatus: NonNullable<Pod['status']> = starting,
): Promise<BuildWorld> => {
  const world = buildWorld(options);
  await world.pass({ now: at(0) });
  world.podSays(podStatus);
  return world;
};
export const warning = (
  world: BuildWorld,
  reason: string,
  message: string,
  time = '2026-11-21T09:00:20Z',
  type = 'Warning',
): void => {
  const { name, uid } = world.cluster.at(podPath).metadata as { readonly name?: string; readonly uid?: string };
  world.cluster.put(events, {
    kind: 'Event',
    metadata: { name: `e-${reason}-${time}`, namespace },
    involvedObject: { kind: 'Pod', name, uid },
    type,
    reason,
    message,
    lastTimestamp: time,
  } as object);
};
