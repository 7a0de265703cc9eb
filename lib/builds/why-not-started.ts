/**
 * Why a node does not start a pod that it has: kubelets tell it in events alone, while the pod says `ContainerCreating` or `PodInitializing` for
 * ever. Looked into only after a while, so that a pod that starts costs no request.
 */
import type { Event, Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Condition } from '../api/condition.ts';
import type { ConditionReason } from '../api/reasons.ts';
import { ExpectedError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/object.ts';
import { shownText } from '../text/shown-text.ts';
import { startingSeconds } from './overdue.ts';
import { succeeded } from './status.ts';

/** A pod that starts is set up after so many seconds. */
const startsWithinSeconds = 30;
/** Longest time between two looks, seconds. */
const longestPauseSeconds = 300;
/** Objects of a pod's volumes that are looked for at once. */
const mostNamed = 100;
/** Longest part of an event in a condition, characters. */
const longestEvent = 800;

interface Named {
  readonly kind: 'Secret' | 'ConfigMap' | 'PersistentVolumeClaim';
  readonly name: string;
}

const reasons: Readonly<Record<Named['kind'], ConditionReason>> = {
  Secret: 'MissingSecret',
  ConfigMap: 'MissingConfigMap',
  PersistentVolumeClaim: 'MissingClaim',
};

/** What the volumes of the pod are made of, each once; what may be absent is not among it. */
const namedBy = ({ spec }: Pod): readonly Named[] => {
  const named = (spec?.volumes ?? []).flatMap(({ secret, configMap, persistentVolumeClaim }): readonly Named[] => [
    ...(secret?.secretName === undefined || secret.optional === true
      ? []
      : [{ kind: 'Secret' as const, name: secret.secretName }]),
    ...(configMap?.name === undefined || configMap.optional === true
      ? []
      : [{ kind: 'ConfigMap' as const, name: configMap.name }]),
    ...(persistentVolumeClaim === undefined
      ? []
      : [{ kind: 'PersistentVolumeClaim' as const, name: persistentVolumeClaim.claimName }]),
  ]);
  const byName = new Map(named.map((one) => [`${one.kind}/${one.name}`, one]));
  return [...byName.values()].slice(0, mostNamed);
};

const missing = async (pod: Pod, kube: KubeClient): Promise<Condition | undefined> => {
  const { namespace = '', name: podName = '' } = pod.metadata ?? {};
  const named = namedBy(pod);
  const found = await Promise.all(named.map(({ kind, name }) => kube.get({ kind, namespace, name })));
  const gone = named.filter((_, index) => found[index] === undefined);
  const [first] = gone;
  if (first === undefined) return undefined;
  const list = gone.map(({ kind, name }) => `${kind} "${name}"`).join(', ');
  const text = `pod ${podName} cannot start without ${list}, not found in namespace ${namespace}: create what is missing, and it goes on`;
  return succeeded('Unknown', reasons[first.kind], text);
};

/** Events that say why a pod does not start; what only tells what is being done is none. */
const isTelling = ({ type, reason = '' }: Event): boolean => type === 'Warning' && reason.startsWith('Failed');

const timeOf = ({ series, lastTimestamp, eventTime, metadata }: Event): string =>
  series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '';

const toldByEvents = async (pod: Pod, kube: KubeClient): Promise<Condition | undefined> => {
  const { namespace = '', uid = '' } = pod.metadata ?? {};
  const fieldSelector = `involvedObject.uid=${uid}`;
  const events = await kube.list<Event & KubeObject>('Event', { namespace, fieldSelector });
  const last = events
    .filter((event) => event.involvedObject.uid === uid && isTelling(event))
    .toSorted((a, b) => (timeOf(a) < timeOf(b) ? -1 : 1))
    .at(-1);
  if (last === undefined) return undefined;
  return succeeded('Unknown', last.reason, shownText(last.message ?? '').slice(0, longestEvent));
};

/** What `look` finds, nothing where it may not look: what it looks for then stays unsaid. */
const ifAllowed = async (look: Promise<Condition | undefined>): Promise<Condition | undefined> => {
  try {
    return await look;
  } catch (error) {
    if (error instanceof ExpectedError) return undefined;
    throw error;
  }
};

/** Seconds until the next look at a pod that has not started: as long as it has been starting, half a minute at least. */
export const lookAgainAt = (pod: Pod, now: Date): number =>
  Math.min(longestPauseSeconds, Math.max(startsWithinSeconds, Math.ceil(startingSeconds(pod, now))));

/** Why the pod has not started for a while, as the Build's condition; undefined when it started, is young, or nobody says. */
export const whyNotStarted = async (pod: Pod, now: Date, kube: KubeClient): Promise<Condition | undefined> => {
  if (startingSeconds(pod, now) < startsWithinSeconds) return undefined;
  return (await ifAllowed(missing(pod, kube))) ?? (await ifAllowed(toldByEvents(pod, kube)));
};
