/**
 * Why a pod is gone that nobody saw going: its condition went with it, and events outlive it by an hour. Asked for only then, and only where events
 * may be read; otherwise somebody deleted it, as far as is known.
 */
import type { Event } from 'kubernetes-types/core/v1.d.ts';
import { ExpectedError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
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

/** What took the pod away; undefined when no event says it, or none may be read. */
export const whyGone = async (pod: PodKey, kube: KubeClient): Promise<Disruption | undefined> => {
  if (pod.uid === '') return undefined;
  try {
    const events = await podEvents(pod, kube);
    const told = events.findLast(({ reason }) => reasons[reason ?? ''] !== undefined);
    const reason = reasons[told?.reason ?? ''];
    if (told === undefined || reason === undefined || !saysWhy(told, told === events.at(-1))) return undefined;
    return { reason, words: shownText(told.message ?? '').slice(0, longestWords) || (told.reason ?? '') };
  } catch (error) {
    if (error instanceof ExpectedError) return undefined;
    throw error;
  }
};
