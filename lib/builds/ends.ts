/** Ends and refusals of a Build that follow from it and its pod alone. Pure. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../api/build.ts';
import type { Condition } from '../api/condition.ts';
import { additionalBuildNeededAnnotation, cancelAnnotation } from '../api/labels.ts';
import { PermanentError } from '../errors/expected.ts';
import { controllerOf } from '../kube/object.ts';
import { succeeded } from './status.ts';
import { Waiting } from './waiting.ts';

/** The condition with something added to its message. */
export const withMore = (condition: Condition, more: string): Condition =>
  more === '' ? condition : { ...condition, message: `${condition.message ?? ''}${more}` };

/** The end of a cancelled Build. */
export const cancelledEnd = succeeded('False', 'Cancelled', `cancelled by annotation ${cancelAnnotation}`);

/** The end of a Build whose pod somebody deleted. */
export const podDeleted = (podName: string): Condition =>
  succeeded(
    'False',
    'PodDeleted',
    `pod ${podName} was deleted before it ended; annotate the Build with ${additionalBuildNeededAnnotation} to build again`,
  );

/** Signing with notary v1 is gone from Docker itself. Said before anything is built: an unsigned image nobody asked for. */
export const refuseNotary = ({ spec }: Build): void => {
  if (spec.notary?.v1 === undefined) return;
  throw new PermanentError(
    'NotaryUnsupported',
    'spec.notary: images are not signed with notary v1; take it off the Image and sign with cosign: put a Secret with cosign.key on its ServiceAccount',
  );
};

/** The end of a Build whose spec somebody changed. */
export const specChanged = succeeded(
  'False',
  'SpecChanged',
  'spec was changed after the Build had begun, and nothing is made from the change; make another Build',
);

/** A pod of the Build's name that is not ours, because it `why`. */
export const nameTaken = (pod: Pod, why: string): Waiting =>
  new Waiting(
    'PodNameTaken',
    `pod ${pod.metadata?.name ?? ''} ${why}; waiting until it is gone: delete it if nobody needs it`,
  );

/** Why a pod that this Build does not control is not ours: left over from an earlier Build of the name, or somebody's own. */
export const otherOwner = (pod: Pod): string => {
  const owner = controllerOf(pod);
  return owner === undefined ? 'has no owner' : `belongs to ${owner.kind} ${owner.name} with uid ${owner.uid}`;
};
