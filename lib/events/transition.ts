/** What happened to an object, as people and programs are told of it: Kubernetes Events, EventBridge, counts. */

/** One CamelCase word for what happened. `Waiting`: it cannot go on before something else changes; the note says what. */
export type TransitionReason = 'Failed' | 'Queued' | 'Rebased' | 'Started' | 'Succeeded' | 'Waiting';

/** A change of state that is worth telling. */
export interface Transition {
  readonly reason: TransitionReason;
  /** `Warning` where somebody may have to do something. */
  readonly type: 'Normal' | 'Warning';
  /** One sentence for people: what, and why. */
  readonly note: string;
}
