/**
 * Resources of a pod whose steps start at once. One step works at a time, so all together are to have what one of them has in sequence: where
 * the API server knows it (Kubernetes 1.34) the pod as a whole asks for it, and others leave that field out. Beside it `build` alone asks for
 * it, and the other steps expressly for nothing, as a LimitRange would fill in something; their limits are as ever.
 */
import type { Container, Pod, PodSpec, ResourceRequirements } from 'kubernetes-types/core/v1.d.ts';
import { defined } from './defined.ts';

type Amounts = Record<string, string>;

/** What a pod as a whole may ask for. */
const isOfPods = (name: string): boolean => name === 'cpu' || name === 'memory' || name.startsWith('hugepages-');

/** What can be shared, and asked for by one step for all. */
const shared = ['cpu', 'memory', 'ephemeral-storage'] as const;
const nothing: Amounts = Object.fromEntries(shared.map((name) => [name, '0']));

const only = (amounts: Amounts | undefined, isWanted: (name: string) => boolean): Amounts | undefined => {
  const kept = Object.entries(amounts ?? {}).filter(([name]) => isWanted(name));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
};

const ofPod = ({ requests, limits }: ResourceRequirements): ResourceRequirements =>
  defined<ResourceRequirements>({ requests: only(requests, isOfPods), limits: only(limits, isOfPods) });

/** Of a step beside `build`: devices and huge pages are not shared, so `build` alone has them. */
const ofOthers = ({ limits }: ResourceRequirements): ResourceRequirements =>
  defined<ResourceRequirements>({
    requests: { ...nothing },
    limits: only(limits, (name) => shared.some((one) => one === name)),
  });

const withFewer = (step: Container): Container =>
  step.name === 'build' ? step : { ...step, resources: ofOthers(step.resources ?? {}) };

/** The field is newer than the types. */
interface SpecWithResources extends PodSpec {
  readonly resources?: ResourceRequirements;
}

/** The same pod, which asks for what `build` asks for. */
export const withSharedResources = (pod: Pod): Pod => {
  const { containers = [], ...rest } = pod.spec ?? {};
  const whole = ofPod(containers.find(({ name }) => name === 'build')?.resources ?? {});
  const spec: SpecWithResources = {
    ...rest,
    containers: containers.map(withFewer),
    ...(Object.keys(whole).length === 0 ? {} : { resources: whole }),
  };
  return { ...pod, spec };
};
