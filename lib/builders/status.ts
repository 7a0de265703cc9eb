/** The two conditions of a builder (spec 01 §5.3). A failure never takes away a builder image that was good. */
import type { BuilderStatus } from '../api/builder.ts';
import type { Condition } from '../api/condition.ts';
import { unresolvedLifecycle } from '../buildpacks/lifecycle-reader.ts';
import { condition, withTransitionTimes } from '../reconcile/conditions.ts';
import type { Unfinished } from './push-image.ts';

interface BuilderObject {
  readonly metadata?: { readonly generation?: number | undefined } | undefined;
  readonly status?: BuilderStatus | undefined;
}

/** Both conditions True over a new record; `remark` is what the user should know all the same. */
export const succeededStatus = (
  object: BuilderObject,
  record: Omit<BuilderStatus, 'conditions' | 'observedGeneration'>,
  now: Date,
  remark = '',
): BuilderStatus => ({
  ...record,
  observedGeneration: object.metadata?.generation ?? 0,
  conditions: withTransitionTimes(
    [condition('Ready', 'True'), condition('UpToDate', 'True', '', remark)],
    object.status?.conditions,
    now,
  ),
});

/**
 * Ready of a builder whose image was never made. kpack's words, and why, for many see nothing but Ready: `kp`, and Images that wait for it. While
 * the first image is on its way it is Unknown, for whoever waits does so until it is not.
 */
const neverMade = ({ status, message = '' }: Condition): Condition =>
  condition('Ready', status, 'NoLatestImage', `Builder has no latestImage: ${message}`);

const notUpToDate = (object: BuilderObject, upToDate: ReturnType<typeof condition>, now: Date): BuilderStatus => ({
  stack: {},
  lifecycle: unresolvedLifecycle,
  ...object.status,
  observedGeneration: object.metadata?.generation ?? 0,
  conditions: withTransitionTimes(
    [object.status?.latestImage ? condition('Ready', 'True') : neverMade(upToDate), upToDate],
    object.status?.conditions,
    now,
  ),
});

/** The record stays; UpToDate says what went wrong. */
export const failedStatus = (object: BuilderObject, message: string, now: Date): BuilderStatus =>
  notUpToDate(object, condition('UpToDate', 'False', 'ReconcileFailed', message), now);

/** The record stays while layers are still on their way; the number moves on from pass to pass. */
export const pushingStatus = (object: BuilderObject, { blobs, of, upload }: Unfinished, now: Date): BuilderStatus => {
  const part =
    upload === undefined ? '' : `, and ${megabytes(upload.sentBytes)} of ${megabytes(upload.size)} MB of the next`;
  const message = `${blobs} of ${of} layers are in the registry${part}`;
  return notUpToDate(object, condition('UpToDate', 'Unknown', 'Pushing', message), now);
};

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
