/**
 * A pod that was made for a Build, as it is known again. Of a pod that exists only a few fields can be changed, and of these only the images of
 * its containers say what runs; so its uid and its images are all there is to remember (Kubernetes: "Pod update and replacement"). Pure.
 */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { hashOf, type MadePod } from './build-memory.ts';
import { chosenRunImage } from './extend-run.ts';
import { extendRunStep } from './pod/extensions.ts';

interface PodImages {
  readonly images: string;
  /** Image of the step whose image we change ourselves, where an image extension chose it. */
  readonly runImage?: string | undefined;
}

const imagesOf = ({ spec }: Pod): PodImages => {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const others = containers.filter(({ name }) => name !== extendRunStep);
  const runImage = containers.find(({ name }) => name === extendRunStep)?.image;
  return {
    images: hashOf(others.map(({ name, image }) => [name, image])),
    ...(runImage !== undefined && { runImage }),
  };
};

/** What is to be remembered of a pod, given as the API server made it, with all that admission added. */
export const madePod = (pod: Pod): MadePod => ({ uid: pod.metadata?.uid ?? '', ...imagesOf(pod) });

/** Why this is not the pod that was made, or not as it was made; undefined when it is. */
export const whyNotAsMade = (made: MadePod, pod: Pod): string | undefined => {
  if (pod.metadata?.uid !== made.uid) return 'is not the one that was made for this Build: that one was deleted';
  const { images, runImage } = imagesOf(pod);
  const isGiven = runImage === made.runImage || (runImage !== undefined && runImage === chosenRunImage(pod));
  return images === made.images && isGiven ? undefined : 'had the image of a container changed after it was made';
};
