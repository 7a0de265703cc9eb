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

/** A pod of that name that this Build does not control: left over from an earlier Build of the name, or somebody's own. */
export const nameTaken = (name: string, pod: Pod): Waiting => {
  const owner = controllerOf(pod);
  const whose = owner === undefined ? 'has no owner' : `belongs to ${owner.kind} ${owner.name} with uid ${owner.uid}`;
  return new Waiting('PodNameTaken', `pod ${name} ${whose}; waiting until it is gone: delete it if nobody needs it`);
};
