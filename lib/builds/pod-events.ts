/** What the parts of Kubernetes tell of a pod: events outlive it by an hour. */
import type { Event } from 'kubernetes-types/core/v1.d.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/object.ts';

/** Names a pod, also one that is gone. */
export interface PodKey {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

const lastTime = ({ series, lastTimestamp, eventTime, metadata }: Event): number =>
  Date.parse(series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '') || 0;
const firstTime = (event: Event): number =>
  Date.parse(event.firstTimestamp ?? event.eventTime ?? '') || lastTime(event);

/**
 * Events of this very pod, oldest first. The taint manager tells of pods by name alone, without their uid: that is of this pod if it was told after
 * something else was, as pods of one name follow each other. Throws KubeError where events may not be read.
 */
export const podEvents = async ({ namespace, name, uid }: PodKey, kube: KubeClient): Promise<readonly Event[]> => {
  const events = await kube.list<Event & KubeObject>('Event', {
    namespace,
    fieldSelector: `involvedObject.kind=Pod,involvedObject.name=${name}`,
  });
  const named = events.filter(({ involvedObject }) => involvedObject.name === name);
  const since = Math.min(
    ...named.filter(({ involvedObject }) => involvedObject.uid === uid).map((event) => firstTime(event)),
  );
  return named
    .filter((event) => (event.involvedObject.uid ? event.involvedObject.uid === uid : lastTime(event) >= since))
    .toSorted((a, b) => lastTime(a) - lastTime(b));
};
