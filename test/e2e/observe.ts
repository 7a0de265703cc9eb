/** What stories look at, and what they wait for. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../lib/api/build.ts';
import type { Condition } from '../../lib/api/condition.ts';
import type { Image } from '../../lib/api/image.ts';
import { imageLabel } from '../../lib/api/labels.ts';
import { buildName, buildPodName } from '../../lib/api/names.ts';
import type { KubeObject } from '../../lib/kube/object.ts';
import { type Conditioned, conditionOf, isTrue, statusOf } from '../../lib/reconcile/conditions.ts';
import type { Suite } from './suite.ts';
import { patienceSeconds, waitFor } from './wait.ts';

/** A pod as the API gives it. */
export type LivePod = Pod & KubeObject;

/** Names an Image. */
export interface ImageKey {
  readonly namespace: string;
  readonly name: string;
}

export const imageOf = ({ kube }: Suite, { namespace, name }: ImageKey): Promise<Image | undefined> =>
  kube.get<Image>({ kind: 'Image', namespace, name });

/** Its Builds, oldest first. */
export const buildsOf = async ({ kube }: Suite, { namespace, name }: ImageKey): Promise<readonly Build[]> => {
  const builds = await kube.list<Build>('Build', { namespace, labelSelector: `${imageLabel}=${name}` });
  return builds.toSorted((a, b) => numberOf(a) - numberOf(b));
};

const numberOf = (build: Build): number => Number(build.metadata.labels?.['image.kpack.io/buildNumber']);

/** Names of its Builds, oldest first. */
export const buildNames = async (suite: Suite, key: ImageKey): Promise<readonly (string | undefined)[]> =>
  (await buildsOf(suite, key)).map(({ metadata }) => metadata.name);

/** The pod of the Image's Build number `number`. */
export const buildPod = ({ kube }: Suite, { namespace, name }: ImageKey, number: number) =>
  kube.get<LivePod>({ kind: 'Pod', namespace, name: buildPodName(buildName(name, number)) });

/** Waits until the Image is Ready and its latest Build is number `number`; fails at once when that Build failed. */
export const readyAfter = async (
  suite: Suite,
  key: ImageKey,
  number: number,
  seconds = patienceSeconds,
): Promise<Image> => {
  let image: Image | undefined;
  const found = await waitFor(
    async () => {
      image = await imageOf(suite, key);
      const current = image?.status?.latestBuildRef === buildName(key.name, number);
      if (!current) return undefined;
      if (statusOf(image, 'Ready') === 'False') return image;
      const isReady = isTrue(image, 'Ready') && image?.metadata.generation === image?.status?.observedGeneration;
      return isReady ? image : undefined;
    },
    {
      what: `Image ${key.namespace}/${key.name} to be Ready after build ${number}`,
      seconds,
      seen: () => image?.status,
    },
  );
  if (!isTrue(found, 'Ready')) {
    const build = await buildOf(suite, key, number);
    throw new Error(
      `build ${number} of ${key.namespace}/${key.name} failed: ${JSON.stringify(build?.status, undefined, 1)}`,
    );
  }
  return found;
};

/** The Image's Build of that number. */
export const buildOf = ({ kube }: Suite, { namespace, name }: ImageKey, number: number) =>
  kube.get<Build>({ kind: 'Build', namespace, name: buildName(name, number) });

/** Waits until that Build has ended, well or not. */
export const endedBuild = (suite: Suite, key: ImageKey, number: number, seconds = patienceSeconds): Promise<Build> => {
  let build: Build | undefined;
  return waitFor(
    async () => {
      build = await buildOf(suite, key, number);
      return build !== undefined && statusOf(build, 'Succeeded') !== 'Unknown' && build;
    },
    { what: `build ${number} of ${key.namespace}/${key.name} to end`, seconds, seen: () => build?.status },
  );
};

/** Waits until the pod of that Build is there and satisfies `isSo`. */
export const podWhen = (
  suite: Suite,
  key: ImageKey,
  number: number,
  isSo: (pod: LivePod) => boolean = () => true,
): Promise<LivePod> => {
  let pod: LivePod | undefined;
  return waitFor(
    async () => {
      pod = await buildPod(suite, key, number);
      return pod !== undefined && isSo(pod) && pod;
    },
    { what: `the pod of build ${number} of ${key.namespace}/${key.name}`, seen: () => pod?.status },
  );
};

/** A condition without its times. */
const bare = (condition: Condition) => {
  const { lastTransitionTime: _, ...rest } = condition;
  return rest;
};

/** The condition of that type, without its times. */
export const bareCondition = (object: Conditioned | undefined, type: string) => {
  const found = conditionOf(object, type);
  return found === undefined ? undefined : bare(found);
};

/** All conditions in their order, without their times. */
export const bareConditions = (object: Conditioned | undefined) => object?.status?.conditions?.map(bare);
