/** A transition as an Event of Kubernetes (v1, in its newer form), which `kubectl describe` and `kubectl events` show for an hour. Pure. */
import { createHash } from 'node:crypto';
import type { Event } from 'kubernetes-types/core/v1.d.ts';
import type { KubeObject } from '../kube/object.ts';
import { printable } from '../text/printable.ts';
import type { Transition } from './transition.ts';

/** What an Event is about. */
export interface About {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Longest message of an Event of the newer form (events.k8s.io/v1, `note`), in bytes; so many characters of at most four bytes. */
const longestNote = 1024;
const noteCharacters = longestNote / 4;

const noteOf = ({ note }: Transition): string => {
  const shown = printable(note, longestNote);
  return Buffer.byteLength(shown) <= longestNote ? shown : printable(note, noteCharacters - 1);
};

/** Longest name of an object, less a dot and sixteen hexadecimal digits. */
const longestHead = 253 - 17;

/** The same thing happening to the same object again is the same Event, so a pass that runs twice tells once. */
const nameOf = ({ name, uid }: About, { reason, note }: Transition): string =>
  `${name.slice(0, longestHead)}.${createHash('sha256')
    .update(JSON.stringify([uid, reason, note]))
    .digest('hex')
    .slice(0, 16)}`;

/** Kubernetes' MicroTime. */
export const microTime = (now: Date): string => now.toISOString().replace('Z', '000Z');

/** The Event that tells of `transition`, which happened to `about` at `now`. */
export const kubernetesEvent = (
  about: About,
  transition: Transition,
  now: Date,
): Event & KubeObject & { readonly kind: 'Event' } => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { namespace: about.namespace, name: nameOf(about, transition) },
  involvedObject: { ...about },
  reason: transition.reason,
  type: transition.type,
  message: noteOf(transition),
  action: 'Reconcile',
  eventTime: microTime(now),
  reportingComponent: 'kpackless.io/reconciler',
  reportingInstance: 'kpackless',
});
