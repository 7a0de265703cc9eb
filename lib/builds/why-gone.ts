/**
 * Why a pod is gone that nobody saw going: its condition went with it, and events outlive it by an hour. Asked for only then, and only where events
 * may be read; otherwise somebody deleted it, as far as is known.
 */
import type { Event } from 'kubernetes-types/core/v1.d.ts';
import { ExpectedError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/object.ts';
import { shownText } from '../text/shown-text.ts';
import type { Disruption } from './disruption.ts';

/** Longest part of an event that is told, characters. */
const longestWords = 400;

/** What schedulers and the taint manager say of a pod that they take away; the latter says under the same reason that it thought better of it. */
const reasons: Readonly<Record<string, Disruption['reason']>> = {
  Preempted: 'Preempted',
  TaintManagerEviction: 'Evicted',
};

const takenBack = 'Cancelling deletion';

/** What took the pod with this uid away; undefined when no event says it, or none may be read. */
export const whyGone = async (uid: string, namespace: string, kube: KubeClient): Promise<Disruption | undefined> => {
  if (uid === '') return undefined;
  try {
    const events = await kube.list<Event & KubeObject>('Event', {
      namespace,
      fieldSelector: `involvedObject.uid=${uid}`,
    });
    const told = events.flatMap(({ involvedObject, reason = '', message = '' }): readonly Disruption[] => {
      const known = involvedObject.uid === uid && !message.startsWith(takenBack) ? reasons[reason] : undefined;
      return known === undefined ? [] : [{ reason: known, words: shownText(message).slice(0, longestWords) || reason }];
    });
    return told[0];
  } catch (error) {
    if (error instanceof ExpectedError) return undefined;
    throw error;
  }
};
