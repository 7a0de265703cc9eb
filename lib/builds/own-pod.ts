/**
 * Whether the pod of a Build's name is the one that was made for it (docs/decisions/0006-whose-pod.md). An owner reference proves nothing: anybody
 * who may create pods can write one. Pure.
 */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../api/build.ts';
import { isControlledBy } from '../kube/object.ts';
import type { BuildMemory } from './build-memory.ts';
import { otherOwner } from './ends.ts';
import { differenceFrom } from './made-alike.ts';
import { whyNotAsMade } from './made-pod.ts';

/** `ours`; not ours, and why; or nothing is remembered of one, as after a crash: it is ours if it is what would be made now. */
export type Whose = 'ours' | 'unknown' | { readonly why: string };

/** Whose pod it is, by what the record has. */
export const whosePod = (build: Build, { pod: made }: BuildMemory, pod: Pod): Whose => {
  if (!isControlledBy(pod, build)) return { why: otherOwner(pod) };
  if (made === undefined) return 'unknown';
  const why = whyNotAsMade(made, pod);
  return why === undefined ? 'ours' : { why };
};

/** When the pod was generated, as far as it says so: the value of `creationTime: now`, which is the one thing in it that time changes. */
export const generatedAt = (pod: Pod): Date | undefined => {
  const steps = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const epoch = steps.flatMap(({ env = [] }) => env).find(({ name }) => name === 'SOURCE_DATE_EPOCH')?.value ?? '';
  return /^\d{1,12}$/u.test(epoch) ? new Date(Number(epoch) * 1000) : undefined;
};

/** Whether a pod of which nothing is remembered is one of `wanted`, those that could be made now. */
export const isOneOf = (wanted: readonly Pod[], pod: Pod, sidecars: boolean): Exclude<Whose, 'unknown'> => {
  const differences = wanted.map((one) => differenceFrom(one, pod, { sidecars }));
  return differences.includes(undefined)
    ? 'ours'
    : { why: `is not as it would be made for this Build (${differences[0] ?? ''} differs)` };
};
