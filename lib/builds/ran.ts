/**
 * Which images the steps of a pod ran, as its node says it: a spec can be changed before a step begins and changed back before anybody looks.
 * Pure.
 */
import type { ContainerStatus, Pod } from 'kubernetes-types/core/v1.d.ts';
import { PermanentError } from '../errors/expected.ts';
import { parseReference, printRepository } from '../oci/reference.ts';
import { containerStatuses, initStatuses, isStep } from './steps.ts';

const digest = /@(sha256:[0-9a-f]{64})$/u;

const refused = (why: string): PermanentError => new PermanentError('AttestationFailed', why);

/** The digest a runtime reports; undefined for a runtime that reports none. */
const digestRun = ({ imageID }: ContainerStatus): string | undefined => digest.exec(imageID)?.[1];

/** The digest that `image` names, or that the node found behind its tag. */
const checkedDigest = (name: string, image: string, status: ContainerStatus | undefined): string => {
  if (status?.state?.terminated?.exitCode !== 0) throw refused(`the step ${name} did not end well`);
  if (status.restartCount > 0) throw refused(`the step ${name} was started more than once`);
  const named = parseReference(image).digest;
  const ran = digestRun(status);
  if (named !== undefined && ran !== undefined && named !== ran)
    throw refused(`the step ${name} ran ${ran}, not the image it was made with (${named})`);
  const known = ran ?? named;
  if (known === undefined)
    throw refused(`the node does not say which image the step ${name} ran (${image}); name it by digest`);
  return known;
};

/**
 * The image of each step with the digest that ran, by the step's name. @throws PermanentError when a step may have run another one, or when
 * somebody had containers put into the running pod, which share its network and may share its processes
 */
export const imagesRun = (pod: Pod): ReadonlyMap<string, string> => {
  if ((pod.spec?.ephemeralContainers ?? []).length > 0)
    throw refused('somebody put a debugging container into the pod while it ran');
  const statuses = new Map([...initStatuses(pod), ...containerStatuses(pod)].map((status) => [status.name, status]));
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const steps = containers.filter(({ name }) => isStep(name));
  const run = new Map<string, string>();
  for (const { name, image = '' } of steps) {
    const ran = checkedDigest(name, image, statuses.get(name));
    run.set(name, `${printRepository(parseReference(image))}@${ran}`);
  }
  // A tag may have moved between two steps, or a step may have had another image for a while.
  const byImage = new Map<string, string>();
  for (const { name, image = '' } of steps) {
    const ran = run.get(name) ?? '';
    const before = byImage.get(image) ?? ran;
    if (before !== ran) throw refused(`the step ${name} ran ${ran}, others ${before}`);
    byImage.set(image, ran);
  }
  return run;
};
