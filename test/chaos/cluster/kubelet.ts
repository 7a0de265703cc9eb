/**
 * Scheduler and kubelet: pods get a node, their steps run one after another, and end well or badly by what is built. What the steps leave in the
 * registry is there as soon as the step `export` has ended, whether anybody hears of it or not.
 */
import { gzipSync } from 'node:zlib';
import type { Container, ContainerStatus, Pod } from 'kubernetes-types/core/v1.d.ts';
import type { BuildSpec } from '../../../lib/api/build.ts';
import type { Dice } from '../dice.ts';
import type { VirtualTime } from '../virtual-time.ts';
import type { ClusterStore, Stored } from './store.ts';

/** What a build leaves behind. */
export interface Exported {
  readonly buildpacks: readonly { readonly id: string; readonly version: string }[];
  /** With digest. */
  readonly latestImage: string;
  readonly stackId: string;
  readonly stackRunImage: string;
}

/** What the steps do; everything else is waiting. */
export interface Builds {
  /** Whether what is built can be built. */
  isGood(build: BuildSpec): boolean;
  export(build: BuildSpec): Exported;
}

/** What it is made of. */
export interface KubeletParts {
  readonly time: VirtualTime;
  readonly dice: Dice;
  readonly store: ClusterStore;
  readonly builds: Builds;
}

type PodStatus = NonNullable<Pod['status']>;

const message = ({ buildpacks, latestImage, stackId, stackRunImage }: Exported): string =>
  gzipSync(
    JSON.stringify({
      buildpackMetadata: buildpacks,
      latestCacheImage: '',
      latestImage,
      stackID: stackId,
      stackRunImage,
      lifecycleVersion: '0.21.0',
    }),
  ).toString('base64');

/** Where a pod is: on no node, or so many of its steps have ended. */
const stages = 4;

/** Runs the pods of a cluster. What this gives takes up those that a restored store says are running. */
export const runPods = ({ time, dice, store, builds }: KubeletParts): { takeUp(): void } => {
  /** What each pod builds, by its uid: the Build may be gone before the pod is. */
  const specs = new Map<string, BuildSpec>();
  const removing = new Set<string>();

  const podOf = (path: string, uid: string): (Stored & Pod) | undefined => {
    const found = store.find(path);
    return found?.metadata.uid === uid ? (found as Stored & Pod) : undefined;
  };
  const instant = (): string => new Date(time.now).toISOString().replace(/\.\d+Z$/, 'Z');

  const statusAt = (pod: Stored & Pod, spec: BuildSpec, stage: number): PodStatus => {
    const inits = pod.spec?.initContainers ?? [];
    const isGood = builds.isGood(spec);
    const isOver = stage === stages;
    // The build step is the one that does not like its source.
    const failing = inits.findIndex(({ name }) => name === 'build');
    const last = isGood ? inits.length : failing;
    const ended = isOver ? last : Math.min(last, Math.floor((inits.length * (stage - 1)) / (stages - 1)));
    const state = ({ name, image = '' }: Container, index: number): ContainerStatus => {
      const base = { name, image, imageID: image, restartCount: 0, ready: false };
      if (index < ended) return { ...base, state: { terminated: { exitCode: 0, reason: 'Completed', message: '' } } };
      if (index === ended && isOver && !isGood)
        return { ...base, state: { terminated: { exitCode: 51, reason: 'Error', message: 'failed to build' } } };
      if (index === ended) return { ...base, state: { running: { startedAt: instant() } } };
      return { ...base, state: { waiting: { reason: 'PodInitializing' } } };
    };
    const exported = isOver && isGood ? builds.export(spec) : undefined;
    const regular = (container: Container): ContainerStatus => ({
      ...state(container, Number.POSITIVE_INFINITY),
      ...(exported === undefined
        ? {}
        : { state: { terminated: { exitCode: 0, reason: 'Completed', message: message(exported) } } }),
    });
    return {
      phase: isOver ? (isGood ? 'Succeeded' : 'Failed') : 'Running',
      conditions: [{ type: 'PodScheduled', status: 'True' }],
      startTime: pod.status?.startTime ?? instant(),
      initContainerStatuses: inits.map(state),
      containerStatuses: (pod.spec?.containers ?? []).map(regular),
    };
  };

  const run = (path: string, uid: string, stage: number): void => {
    const pod = podOf(path, uid);
    const spec = specs.get(uid);
    if (pod === undefined || spec === undefined || pod.metadata.deletionTimestamp !== undefined) return;
    const { status } = pod;
    if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return;
    store.change(pod, { ...pod, status: statusAt(pod, spec, stage) });
    if (stage < stages) later(path, uid, stage + 1);
  };

  const later = (path: string, uid: string, stage: number): void => {
    const milliseconds = dice.between(`pod ${path} ${uid} ${stage}`, 500, 9000);
    time.in(milliseconds, () => run(path, uid, stage), undefined);
  };

  const remove = (path: string, uid: string): void => {
    if (removing.has(uid)) return;
    removing.add(uid);
    const gone = (): void => {
      removing.delete(uid);
      const pod = podOf(path, uid);
      if (pod?.metadata.deletionTimestamp !== undefined) store.remove(pod);
    };
    time.in(dice.between(`stop ${path} ${uid}`, 200, 6000), gone, undefined);
  };

  const begin = (path: string, pod: Stored): void => {
    const owner = pod.metadata.ownerReferences?.find(({ kind }) => kind === 'Build');
    const build =
      owner && store.find(`/apis/kpack.io/v1alpha2/namespaces/${pod.metadata.namespace}/builds/${owner.name}`);
    const spec = specs.get(pod.metadata.uid) ?? (build?.spec as BuildSpec | undefined);
    if (spec === undefined) return;
    specs.set(pod.metadata.uid, spec);
    later(path, pod.metadata.uid, 1);
  };

  store.watchers.push(({ type, path }, object) => {
    if (object.kind !== 'Pod') return;
    if (type === 'ADDED') begin(path, object);
    else if (type === 'MODIFIED' && object.metadata.deletionTimestamp !== undefined) remove(path, object.metadata.uid);
  });
  return {
    takeUp: () => {
      for (const path of store.paths()) {
        const object = store.find(path);
        if (object?.kind !== 'Pod') continue;
        if (object.metadata.deletionTimestamp === undefined) begin(path, object);
        else remove(path, object.metadata.uid);
      }
    },
  };
};
