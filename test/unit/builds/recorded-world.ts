/** A Build whose pod is one that was recorded on a real cluster. */
import type { Container, Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../../lib/api/build.ts';
import { memoryOf, memoryText } from '../../../lib/builds/build-memory.ts';
import { madePod } from '../../../lib/builds/made-pod.ts';
import type { RecordedPod } from '../../support/recorded-pods.ts';
import { type BuildWorld, buildWorld, namespace, podPath, pods, type WorldOptions } from './build-world.ts';

export const at = (seconds: number) => new Date(Date.parse('2026-11-21T09:00:00Z') + seconds * 1000);

const secondsOf = (time: string): number => (Date.parse(time) - at(0).getTime()) / 1000;

/** The last second that a recording speaks of. */
const lastSecond = (recorded: RecordedPod): number => {
  const times = JSON.stringify([recorded.pod.status, recorded.events]).match(/2026-\d\d-\d\dT\d\d:\d\d:\d\dZ/gu) ?? [];
  return Math.max(1, ...times.map(secondsOf));
};

/** When its grace period is over, seconds after it was made; undefined while nobody deletes it. */
export const deletedAt = ({ pod }: RecordedPod): number | undefined => {
  const { deletionTimestamp } = pod.metadata ?? {};
  return deletionTimestamp === undefined ? undefined : secondsOf(deletionTimestamp);
};

/** When its node took it, seconds after it was made. */
export const startedAt = ({ pod }: RecordedPod): number => secondsOf(pod.status?.startTime ?? '');

const besides = (own: readonly Container[] = [], seen: readonly Container[] = []): readonly Container[] =>
  seen.filter(({ name }) => own.every((one) => one.name !== name));

/** Puts what was recorded in the place of the pod that was made, and answers with it. */
const become = ({ cluster }: BuildWorld, { pod, events = [], log }: RecordedPod): Pod => {
  const { metadata, spec, ...made } = cluster.at(podPath) as Pod & { readonly metadata: { readonly name: string } };
  const { initContainers, containers } = spec ?? { containers: [] };
  const { schedulerName, nodeName } = pod.spec ?? {};
  cluster.put(pods, {
    ...made,
    metadata: { ...metadata, ...pod.metadata },
    spec: {
      ...spec,
      ...(schedulerName !== undefined && { schedulerName }),
      ...(nodeName !== undefined && { nodeName }),
      ...(initContainers !== undefined && {
        initContainers: [...besides(initContainers, pod.spec?.initContainers), ...initContainers],
      }),
      containers: [...containers, ...besides(containers, pod.spec?.containers)],
    },
    status: pod.status,
  } as object);
  for (const [index, { type, reason, message, lastTimestamp }] of events.entries())
    cluster.put(`/api/v1/namespaces/${namespace}/events`, {
      kind: 'Event',
      metadata: { name: `e-${index}`, namespace },
      involvedObject: { kind: 'Pod', name: metadata.name, uid: (metadata as { readonly uid?: string }).uid },
      type,
      reason,
      message,
      lastTimestamp,
    } as object);
  if (log !== undefined) cluster.setLog(podPath, log.container, `${log.line}\n`);
  return { ...cluster.at(podPath), kind: 'Pod' } as Pod;
};

/** The Build after a pass over the recorded pod, `atLeast` so many seconds after it was made, and when that was. */
export const recordedWorld = async (
  recorded: RecordedPod,
  options: WorldOptions,
  { atLeast = 0, prepare }: { readonly atLeast?: number; readonly prepare?: ((world: BuildWorld) => void) | undefined },
): Promise<{ readonly world: BuildWorld; readonly seconds: number }> => {
  const world = buildWorld(options);
  // What a binding names, or the Build would wait for it.
  const facts = { kind: 'ConfigMap', metadata: { name: 'm', namespace } };
  world.cluster.put(`/api/v1/namespaces/${namespace}/configmaps`, facts);
  world.cluster.put('/api/v1/nodes', { kind: 'Node', metadata: { name: 'node1' } });
  const { memory } = await world.pass({ now: at(0) });
  // What admission added was in the answer when the pod was made.
  const pod = madePod(become(world, recorded));
  prepare?.(world);
  const seconds = Math.max(lastSecond(recorded) + 1, atLeast);
  await world.pass({
    now: at(seconds),
    memory: memoryText({ ...memoryOf(memory, world.build() as unknown as Build), pod }),
  });
  return { world, seconds };
};
