/** The Builds of an Image, in order, and what follows from them (spec 02 §3.1, §5). */
import type { Build } from '../api/build.ts';
import type { Image } from '../api/image.ts';
import { buildNumberLabel } from '../api/labels.ts';
import { controllerOf, isDeleting } from '../kube/object.ts';
import { isFalse, isTrue, statusOf } from '../reconcile/conditions.ts';

/** How a Build ended, or that it has not. */
export const isRunning = (build: Build): boolean => statusOf(build, 'Succeeded') === 'Unknown';
export const isSuccess = (build: Build): boolean => isTrue(build, 'Succeeded');
export const isFailure = (build: Build): boolean => isFalse(build, 'Succeeded');

/** The number in a Build's label; undefined when there is none or it is no number: such a Build is not one of ours (02#S16). */
export const numberOf = (build: Build): number | undefined => {
  const label = build.metadata.labels?.[buildNumberLabel];
  return label !== undefined && /^\d{1,15}$/.test(label) ? Number(label) : undefined;
};

/**
 * Whether a Build with the Image's label counts: not when another object controls it, as the Builds of an earlier Image of this
 * name do until they are collected (02#S15), nor without a number.
 */
const counts = (build: Build, image: Image): boolean => {
  const owner = controllerOf(build);
  return numberOf(build) !== undefined && (owner === undefined || owner.uid === image.metadata.uid);
};

const byAge = (a: Build, b: Build): number => {
  const [left, right] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  if (left !== right) return left < right ? -1 : 1;
  return (numberOf(a) ?? 0) - (numberOf(b) ?? 0);
};

/** What a pass needs to know of the Builds. */
export interface ImageBuilds {
  /** Oldest first; times have a resolution of a second, so numbers decide among equals. */
  readonly all: readonly Build[];
  readonly last: Build | undefined;
  readonly lastSuccess: Build | undefined;
  /** One that is being deleted and has not ended: something holds it, and its pod may still run. */
  readonly ending: Build | undefined;
  /** Number for the next Build: above every number there is or ever was, also when Builds have been deleted (DESIGN §4). */
  readonly nextNumber: number;
}

/** Sorts out what a list by label gave. Builds that are being deleted no longer count, but their numbers do, and what of them still runs. */
export const imageBuilds = (listed: readonly Build[], image: Image): ImageBuilds => {
  const counted = listed.filter((build) => counts(build, image));
  const all = counted.filter((build) => !isDeleting(build)).toSorted(byAge);
  const numbers = counted.map((build) => numberOf(build) ?? 0);
  return {
    all,
    last: all.at(-1),
    lastSuccess: all.findLast(isSuccess),
    ending: counted.find((build) => isDeleting(build) && isRunning(build)),
    nextNumber: Math.max(image.status?.buildCounter ?? 0, 0, ...numbers) + 1,
  };
};

/** What is deleted so that history stays in its limits: the oldest failed and the oldest successful one too many (spec 02 §3.6). */
export const surplusBuilds = (
  { all }: ImageBuilds,
  { failedBuildHistoryLimit, successBuildHistoryLimit }: Image['spec'],
): readonly Build[] => {
  const over = (builds: readonly Build[], limit: number): readonly Build[] =>
    builds.slice(0, Math.max(0, builds.length - Math.max(1, limit)));
  return [
    ...over(all.filter(isFailure), failedBuildHistoryLimit),
    ...over(all.filter(isSuccess), successBuildHistoryLimit),
  ];
};
