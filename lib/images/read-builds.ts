/**
 * Reading an Image's Builds at the least cost. A list is consistent only after the API server has caught up with its store, which
 * takes tens of milliseconds while anything is being written anywhere in the cluster; a read by name does not wait. So the list is
 * left out where the status of the Image says enough, and what it says is checked by the names of Builds (DESIGN §3.9).
 */
import type { Build } from '../api/build.ts';
import type { Image } from '../api/image.ts';
import { imageLabel } from '../api/labels.ts';
import type { KubeClient } from '../kube/client.ts';
import { isControlledBy, isDeleting } from '../kube/object.ts';
import { conditionOf } from '../reconcile/conditions.ts';
import { type ImageBuilds, imageBuilds, isRunning } from './builds-of-image.ts';

/** The Builds as far as they matter; `guessed` when there may be others and only the name of the next Build tells. */
export interface ReadBuilds {
  readonly builds: ImageBuilds;
  readonly guessed: boolean;
}

/** Longer than this no Image stays without its first Build's name in its status, unless the status was lost. */
const youngMilliseconds = 3_600_000;

/** A young Image whose status names no Build: when there is one nevertheless, it has the name that the next one would get. */
const hasNoBuildYet = ({ metadata, status }: Image, now: Date): boolean =>
  (status?.latestBuildRef ?? '') === '' &&
  (status?.buildCounter ?? 0) === 0 &&
  now.getTime() - Date.parse(metadata.creationTimestamp ?? '') < youngMilliseconds;

/** The Build that the status says is running, if it still is. */
const knownRunning = async (image: Image, kube: KubeClient): Promise<Build | undefined> => {
  const name = image.status?.latestBuildRef ?? '';
  if (name === '' || conditionOf(image, 'Ready')?.reason !== 'BuildRunning') return undefined;
  const build = await kube.get<Build>({ kind: 'Build', namespace: image.metadata.namespace ?? '', name });
  return build !== undefined && isControlledBy(build, image) && !isDeleting(build) && isRunning(build)
    ? build
    : undefined;
};

/** All of them, from a consistent list. */
export const listBuilds = async (image: Image, kube: KubeClient): Promise<ReadBuilds> => {
  const { namespace = '', name } = image.metadata;
  const listed = await kube.list<Build>('Build', { namespace, labelSelector: `${imageLabel}=${name}` });
  return { builds: imageBuilds(listed, image), guessed: false };
};

/** Those that matter for the next decision. */
export const readBuilds = async (image: Image, kube: KubeClient, now: Date): Promise<ReadBuilds> => {
  if (hasNoBuildYet(image, now)) return { builds: imageBuilds([], image), guessed: true };
  const running = await knownRunning(image, kube);
  return running === undefined ? listBuilds(image, kube) : { builds: imageBuilds([running], image), guessed: false };
};
