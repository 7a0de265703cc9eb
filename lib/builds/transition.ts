/** What a Build's new status tells of (docs/events.md). Pure. */
import type { Build, BuildStatus } from '../api/build.ts';
import { holdUpOf } from '../api/hold-up.ts';
import type { Transition } from '../events/transition.ts';
import { conditionOf } from '../reconcile/conditions.ts';
import { isFinished } from './is-finished.ts';

/** Whether a step has begun. */
const hasStarted = (status: BuildStatus | undefined): boolean =>
  (status?.stepStates ?? []).some(({ running, terminated }) => running !== undefined || terminated !== undefined);

/** What holds it up, but for a request of the user's. */
const waitsFor = (reason: string | undefined): string => (reason === 'Cancelling' ? '' : holdUpOf(reason));

const said = (reason = '', message = ''): string =>
  [reason, message].filter((text) => text !== '').join(': ') || 'no reason was given';

/** The transition from `before` to the status `after`; undefined when nothing happened that is worth telling. */
export const buildTransition = (before: Build, after: BuildStatus | undefined): Transition | undefined => {
  if (isFinished(before)) return undefined;
  const had = conditionOf(before, 'Succeeded');
  const has = conditionOf({ status: after }, 'Succeeded');
  switch (has?.status) {
    case undefined:
      return undefined;
    case 'True': {
      const isRebase = after?.stepsCompleted?.length === 1 && after.stepsCompleted[0] === 'rebase';
      return { reason: isRebase ? 'Rebased' : 'Succeeded', type: 'Normal', note: after?.latestImage ?? '' };
    }
    case 'False':
      return { reason: 'Failed', type: 'Warning', note: said(has.reason, has.message) };
    case 'Unknown': {
      const waits = waitsFor(has.reason);
      if (waits !== '' && waits !== waitsFor(had?.reason))
        return waits === 'Queued'
          ? { reason: 'Queued', type: 'Normal', note: has.message ?? '' }
          : { reason: 'Waiting', type: 'Warning', note: said(has.reason, has.message) };
      return hasStarted(after) && !hasStarted(before.status)
        ? { reason: 'Started', type: 'Normal', note: `pod ${after?.podName ?? ''} runs` }
        : undefined;
    }
  }
};
