/**
 * Why a node does not start a pod that it has: kubelets tell it in events alone, while the pod says `ContainerCreating` or `PodInitializing` for
 * ever. Looked into only after a while, so that a pod that starts costs no request.
 */
import type { Event, PersistentVolumeClaim, Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Condition } from '../api/condition.ts';
import type { ConditionReason } from '../api/reasons.ts';
import { ExpectedError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/object.ts';
import { shownText } from '../text/shown-text.ts';
import { startingSeconds } from './overdue.ts';
import { podEvents } from './pod-events.ts';
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

/** Why a pod does not start. */
export interface HoldUp {
  readonly condition: Condition;
  /** Name of the claim that is to blame, where one is. */
  readonly claim?: string | undefined;
}

interface Found extends Named {
  /** Undefined when it does not exist. */
  readonly object: KubeObject | undefined;
}

const missing = ({ metadata }: Pod, found: readonly Found[]): HoldUp | undefined => {
  const gone = found.filter(({ object }) => object === undefined);
  const [first] = gone;
  if (first === undefined) return undefined;
  const list = gone.map(({ kind, name }) => `${kind} "${name}"`).join(', ');
  const text = `pod ${metadata?.name ?? ''} cannot start without ${list}, not found in namespace ${metadata?.namespace ?? ''}: create what is missing, and it goes on`;
  const claim = first.kind === 'PersistentVolumeClaim' ? first.name : undefined;
  return { condition: succeeded('Unknown', reasons[first.kind], text), claim };
};

/** Reasons that kubelets and controllers give for a volume that cannot be attached or mounted. */
const mountReasons: ReadonlySet<string> = new Set(['FailedMount', 'FailedAttachVolume', 'FailedMapVolume']);

/** The claim that an event speaks of, by its own name, by that of its volume in the pod, or by that of the volume it is bound to. */
const claimIn = (text: string, { spec }: Pod, found: readonly Found[]): string | undefined => {
  const said = new Set(text.split(/[^\w.-]/u).map((word) => word.replace(/\.$/u, '')));
  return found.find(({ kind, name, object }) => {
    if (kind !== 'PersistentVolumeClaim') return false;
    const inPod = (spec?.volumes ?? []).filter(
      ({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === name,
    );
    const { volumeName = '' } = (object as PersistentVolumeClaim | undefined)?.spec ?? {};
    return [name, volumeName, ...inPod.map((volume) => volume.name)].some((known) => known !== '' && said.has(known));
  })?.name;
};

/** Events that say why a pod does not start; what only tells what is being done is none. */
const isTelling = ({ type, reason = '' }: Event): boolean => type === 'Warning' && reason.startsWith('Failed');

const toldByEvents = async (pod: Pod, found: readonly Found[], kube: KubeClient): Promise<HoldUp | undefined> => {
  const { namespace = '', name = '', uid = '' } = pod.metadata ?? {};
  const last = (await podEvents({ namespace, name, uid }, kube)).findLast(isTelling);
  if (last === undefined) return undefined;
  const { reason = '', message = '' } = last;
  const text = shownText(message).slice(0, longestEvent);
  const claim = mountReasons.has(reason) ? claimIn(text, pod, found) : undefined;
  const named = claim === undefined || text.includes(claim) ? text : `PersistentVolumeClaim "${claim}": ${text}`;
  return { condition: succeeded('Unknown', reason, named), claim };
};

/** What `look` finds, nothing where it may not look: what it looks for then stays unsaid. */
const ifAllowed = async <T>(look: Promise<T>): Promise<T | undefined> => {
  try {
    return await look;
  } catch (error) {
    if (error instanceof ExpectedError) return undefined;
    throw error;
  }
};

const lookFor = (pod: Pod, kube: KubeClient): Promise<readonly Found[]> => {
  const { namespace = '' } = pod.metadata ?? {};
  return Promise.all(
    namedBy(pod).map(async (named) => ({
      ...named,
      object: await kube.get({ kind: named.kind, namespace, name: named.name }),
    })),
  );
};

/** Seconds until the next look at a pod that has not started: as long as it has been starting, half a minute at least. */
export const lookAgainAt = (pod: Pod, now: Date): number =>
  Math.min(longestPauseSeconds, Math.max(startsWithinSeconds, Math.ceil(startingSeconds(pod, now))));

/** Why the pod has not started for a while; undefined when it started, is young, or nobody says. */
export const whyNotStarted = async (pod: Pod, now: Date, kube: KubeClient): Promise<HoldUp | undefined> => {
  if (startingSeconds(pod, now) < startsWithinSeconds) return undefined;
  const found = (await ifAllowed(lookFor(pod, kube))) ?? [];
  return missing(pod, found) ?? (await ifAllowed(toldByEvents(pod, found, kube)));
};
