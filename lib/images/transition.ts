/** What an Image's new status tells of, beside what its Builds tell of themselves (docs/events.md). Pure. */
import type { Image, ImageStatus } from '../api/image.ts';
import type { Transition } from '../events/transition.ts';
import { conditionOf } from '../reconcile/conditions.ts';

/** What a Build has told of, or is about to. */
const ofBuilds: ReadonlySet<string> = new Set(['BuildRunning', 'BuildFailed', 'UpToDate', 'UnknownState']);

/** A source that is being resolved for the first time: it has said nothing yet, and will in a moment. */
const isPassing = (reason: string, message: string): boolean =>
  reason === 'ResolverNotReady' && !message.includes('; Message: ');

/** The transition from `before` to the status `after`; undefined when nothing happened that is worth telling. */
export const imageTransition = (before: Image, after: ImageStatus | undefined): Transition | undefined => {
  const had = conditionOf(before, 'Ready');
  const { status = 'True', reason = '', message = '' } = conditionOf({ status: after }, 'Ready') ?? {};
  if (status === 'True' || ofBuilds.has(reason) || isPassing(reason, message)) return undefined;
  if (had?.status === status && had.reason === reason) return undefined;
  return { reason: 'Waiting', type: status === 'False' ? 'Warning' : 'Normal', note: `${reason}: ${message}` };
};
