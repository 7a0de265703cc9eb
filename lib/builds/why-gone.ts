/**
 * Why a pod is gone that nobody saw going: its condition went with it, and events outlive it by an hour. Asked for only then, and only where events
 * may be read; otherwise somebody deleted it, as far as is known.
 */
import type { Event } from 'kubernetes-types/core/v1.d.ts';
import type { KubeClient } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import { shownText } from '../text/shown-text.ts';
import type { Disruption } from './disruption.ts';
import { type PodKey, podEvents } from './pod-events.ts';

/** Longest part of an event that is told, characters. */
const longestWords = 400;

/**
 * What schedulers, the taint manager and the node controller say of a pod that is taken away; the second says under the same reason that it thought
 * better of it. The last of these counts.
 */
const reasons: Readonly<Record<string, Disruption['reason']>> = {
  Preempted: 'Preempted',
  TaintManagerEviction: 'Evicted',
  NodeNotReady: 'NodeLost',
};

const takenBack = 'Cancelling deletion';

/**
 * Whether the event says what took the pod away. That its node was not ready does so only where nothing was told afterwards: the pod garbage
 * collector is silent, while a kubelet that is back tells of all it does.
 */
const saysWhy = ({ reason = '', message = '' }: Event, isLast: boolean): boolean =>
  !message.startsWith(takenBack) && (reason !== 'NodeNotReady' || isLast);

const toldByEvents = async (pod: PodKey, kube: KubeClient): Promise<Disruption | undefined> => {
  const events = await podEvents(pod, kube);
  const told = events.findLast(({ reason }) => reasons[reason ?? ''] !== undefined);
  const reason = reasons[told?.reason ?? ''];
  if (told === undefined || reason === undefined || !saysWhy(told, told === events.at(-1))) return undefined;
  return { reason, words: shownText(told.message ?? '').slice(0, longestWords) || (told.reason ?? '') };
};

/** The pod garbage collector tells nobody: a pod that is gone together with its node went with it. */
const goneWithNode = async (node: string, kube: KubeClient): Promise<Disruption | undefined> => {
  const found = await kube.get({ kind: 'Node', namespace: '', name: node });
  return found === undefined ? { reason: 'NodeLost', words: `node ${node} is gone, and the pod with it` } : undefined;
};

/** What `look` finds, nothing where it may not look. */
const ifAllowed = async (look: Promise<Disruption | undefined>): Promise<Disruption | undefined> => {
  try {
    return await look;
  } catch (error) {
    if (isKubeError(error, 'forbidden')) return undefined;
    throw error;
  }
};

/** What took the pod away, which ran on `node`; undefined when nothing says it, or none of it may be read. Throws what is to be tried again. */
export const whyGone = async (
  { node = '', ...pod }: PodKey & { readonly node?: string | undefined },
  kube: KubeClient,
): Promise<Disruption | undefined> => {
  if (pod.uid === '') return undefined;
  const told = await ifAllowed(toldByEvents(pod, kube));
  return told ?? (node === '' ? undefined : ifAllowed(goneWithNode(node, kube)));
};
