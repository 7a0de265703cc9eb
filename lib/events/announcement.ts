/** A transition and what is known around it. */
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Transition } from './transition.ts';

/** A transition, with whom it happened to: the object with its new status. */
export interface Announcement {
  readonly cluster: string;
  readonly kube: KubeClient;
  readonly object: KubeObject & { readonly status?: unknown };
  readonly transition: Transition;
  readonly now: Date;
}

/** Hears of transitions. Neither fails: what happened matters more than that somebody is told. */
export interface Announcer {
  /** Tells of one, while the status that says it is being written: a pass that dies, or is refused, tells it once more. */
  tell(announcement: Announcement): Promise<void>;
  /** Its status was written, which happens once. */
  happened(announcement: Announcement): void;
}
