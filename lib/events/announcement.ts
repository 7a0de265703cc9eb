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

/** Hears of transitions. Never rejects. */
export type Announce = (announcement: Announcement) => Promise<void>;
