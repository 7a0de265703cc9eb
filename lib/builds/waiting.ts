import { ExpectedError } from '../errors/expected.ts';

/** Reasons for which a Build waits for people or other objects; each is listed in lib/api/reasons.ts. */
export type WaitingReason =
  | 'MissingServiceAccount'
  | 'MissingSecret'
  | 'MissingConfigMap'
  | 'MissingService'
  | 'BuilderNotReady'
  | 'PodNameTaken';

/** Something the Build names is not there yet. Not final: it is looked for again, slowly, and at once when it is watched (DESIGN §4). */
export class Waiting extends ExpectedError {
  override readonly name = 'Waiting';
  /** Reason of the Unknown condition. */
  readonly reason: WaitingReason;

  constructor(reason: WaitingReason, message: string) {
    super(message, { pace: 'slow' });
    this.reason = reason;
  }
}
