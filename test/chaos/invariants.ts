/** What must hold at every step of a run (DESIGN §6, last row; §3.9, §3.16). Looks at each change of the cluster as it is made. */
import type { Build } from '../../lib/api/build.ts';
import { buildNumberLabel, imageLabel, reasonAnnotation } from '../../lib/api/labels.ts';
import type { Stored } from './cluster/store.ts';
import type { World } from './world.ts';

/** What a Build is made from. */
interface Made {
  readonly uid: string;
  readonly name: string;
  readonly number: number;
  readonly commit: number;
  readonly edition: number;
  readonly builder: string;
  readonly inputs: string;
  readonly reasons: string;
  readonly last: string;
}

type StoredBuild = Stored & Build;

const editionOf = ({ spec }: Build): number => Number(spec.env?.find(({ name }) => name === 'EDITION')?.value ?? -1);

const inputsOf = ({ spec }: Build): string =>
  JSON.stringify([spec.source.git, spec.env, spec.builder.image, spec.runImage?.image]);

/** Whether a pod may still run something. */
const isRunning = ({ status }: Stored): boolean => {
  const { phase = 'Pending' } = (status ?? {}) as { readonly phase?: string };
  return phase !== 'Succeeded' && phase !== 'Failed';
};

/** Watches over a run. What this gives begins anew with what is there, after the past was changed. */
export const watchOver = (world: World): { readonly beginAnew: () => void; readonly builds: () => number } => {
  const { store, git } = world;
  /** Builds of each Image, by its uid, in the order they were made. */
  const made = new Map<string, Made[]>();
  /** The how-manyth builder image of its builder each is. */
  const builders = new Map<string, number>();
  let builds = 0;

  const noteBuilder = (object: Stored): void => {
    const { latestImage } = (object.status ?? {}) as { readonly latestImage?: string };
    if (latestImage !== undefined && !builders.has(latestImage)) builders.set(latestImage, builders.size);
  };

  const note = (build: StoredBuild): Made | undefined => {
    const owner = build.metadata.ownerReferences?.find(({ kind }) => kind === 'Image');
    if (owner === undefined) return undefined;
    const { spec, metadata } = build;
    const one: Made = {
      uid: metadata.uid,
      name: metadata.name,
      number: Number(metadata.labels?.[buildNumberLabel] ?? 0),
      commit: git.numberOf(spec.source.git?.revision ?? ''),
      edition: editionOf(build),
      builder: spec.builder.image ?? '',
      inputs: inputsOf(build),
      reasons: metadata.annotations?.[reasonAnnotation] ?? '',
      last: spec.lastBuild?.image ?? '',
    };
    const earlier = made.get(owner.uid) ?? [];
    made.set(owner.uid, [...earlier, one]);
    return one;
  };

  const checkBuild = (build: StoredBuild): void => {
    const owner = build.metadata.ownerReferences?.find(({ kind }) => kind === 'Image');
    const before = made.get(owner?.uid ?? '') ?? [];
    const one = note(build);
    if (one === undefined) return;
    builds += 1;
    const shown = `Build ${build.metadata.namespace}/${one.name} (${one.reasons})`;
    const twin = before.find(({ number }) => number === one.number);
    if (twin !== undefined) world.violate(`${shown} has the number of ${twin.name} (${twin.uid}), of the same Image`);
    const repeated = before.find(
      ({ inputs, reasons, last }) => inputs === one.inputs && reasons === one.reasons && last === one.last,
    );
    if (repeated !== undefined) world.violate(`${shown} repeats ${repeated.name}: same last Build, reasons and inputs`);
    const previous = before.at(-1);
    if (previous === undefined) return;
    if (previous.inputs === one.inputs)
      world.violate(`${shown} is made from the inputs of ${previous.name}, the one before it`);
    if (one.commit < previous.commit)
      world.violate(
        `${shown} goes back to commit ${one.commit}, after ${previous.commit} was built by ${previous.name}`,
      );
    if (one.edition < previous.edition)
      world.violate(
        `${shown} goes back to edition ${one.edition}, after ${previous.edition} was built by ${previous.name}`,
      );
    if ((builders.get(one.builder) ?? -1) < (builders.get(previous.builder) ?? -1))
      world.violate(`${shown} goes back to an older builder image than ${previous.name} was built with`);
  };

  const checkPods = (): void => {
    const running = new Map<string, string>();
    for (const pod of store.all('Pod')) {
      if (!isRunning(pod) || pod.metadata.deletionTimestamp !== undefined) continue;
      const owner = pod.metadata.ownerReferences?.find(({ kind }) => kind === 'Build');
      const build = store.find(
        `/apis/kpack.io/v1alpha2/namespaces/${pod.metadata.namespace}/builds/${owner?.name ?? ''}`,
      );
      // What the collector has yet to collect is nobody's.
      const image = build?.metadata.uid === owner?.uid ? build?.metadata.ownerReferences?.[0]?.uid : undefined;
      if (image === undefined) continue;
      const other = running.get(image);
      if (other !== undefined) {
        const name = build?.metadata.labels?.[imageLabel] ?? '';
        world.violate(`pods ${other} and ${pod.metadata.name} of Image ${pod.metadata.namespace}/${name} run at once`);
      }
      running.set(image, pod.metadata.name);
    }
  };

  /** What is said of a pod that is there. */
  const checkEnd = ({ metadata, status }: StoredBuild): void => {
    const isSaid = (status?.conditions ?? []).some(({ reason }) => reason === 'PodDeleted');
    if (!isSaid) return;
    const pod = store.all('Pod').find((one) => one.metadata.ownerReferences?.[0]?.uid === metadata.uid);
    if (pod !== undefined && pod.metadata.deletionTimestamp === undefined)
      world.violate(`Build ${metadata.namespace}/${metadata.name} says that its pod was deleted, and it is there`);
  };

  store.watchers.push(({ type }, object) => {
    if (object.kind === 'Builder' || object.kind === 'ClusterBuilder') noteBuilder(object);
    else if (object.kind === 'Build' && type === 'ADDED') checkBuild(object as StoredBuild);
    else if (object.kind === 'Build' && type === 'MODIFIED') checkEnd(object as StoredBuild);
    else if (object.kind === 'Pod' && type === 'ADDED') checkPods();
  });
  return {
    builds: () => builds,
    beginAnew: () => {
      made.clear();
      builders.clear();
      for (const kind of ['Builder', 'ClusterBuilder']) for (const builder of store.all(kind)) noteBuilder(builder);
      const known = store.all('Build') as readonly StoredBuild[];
      const numberOf = ({ metadata }: StoredBuild): number => Number(metadata.labels?.[buildNumberLabel] ?? 0);
      for (const build of known.toSorted((a, b) => numberOf(a) - numberOf(b))) note(build);
    },
  };
};
