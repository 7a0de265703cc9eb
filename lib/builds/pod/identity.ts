/**
 * Cloud identity of the account, for the steps that speak to registries and hosts of sources alone. Webhooks of clouds add a token and
 * variables to every container of a pod but those that an annotation of theirs names; a ServiceAccount's own token is in none (DESIGN §3.28).
 */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';

/** Steps that may speak for the account. Code of buildpacks, extensions and apps runs in none of them. */
const speakers: ReadonlySet<string> = new Set(['prepare', 'analyze', 'restore', 'export', 'rebase', 'completion']);

/** Annotation → what stands between the names in it. */
const skipAnnotations = {
  'eks.amazonaws.com/skip-containers': ',',
  'azure.workload.identity/skip-containers': ';',
} as const;

/** The same pod with the steps named that get no identity, whatever the Build's own annotations say. */
export const withIdentityOfSpeakers = (pod: Pod): Pod => {
  const steps = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map(({ name }) => name);
  const others = steps.filter((name) => !speakers.has(name));
  const annotations = Object.fromEntries(
    Object.entries(skipAnnotations).map(([annotation, separator]) => [annotation, others.join(separator)]),
  );
  return { ...pod, metadata: { ...pod.metadata, annotations: { ...pod.metadata?.annotations, ...annotations } } };
};
