/**
 * How often an Image repeats what its running Build says. Each step of a build changes the Build's message, and a write of the Image for each
 * tells nobody what the Build does not say itself. Pure.
 */
import * as v from 'valibot';
import type { Build } from '../api/build.ts';
import { holdUpOf } from '../api/hold-up.ts';
import type { Image, ImageStatus } from '../api/image.ts';
import { conditionOf } from '../reconcile/conditions.ts';
import { sameStatus } from '../reconcile/same-status.ts';

/** Seconds between two tellings of how far the Build is; why it is held up is told at once. */
export const repeatSeconds = 30;

/** What the record of an Image keeps of it: the Build's uid, what held it up, and when that was told, in Unix seconds. */
const schema = v.pipe(v.string(), v.parseJson(), v.tuple([v.string(), v.string(), v.number()]));

const heldUpBy = (running: Build): string => holdUpOf(conditionOf(running, 'Succeeded')?.reason);

/** Text for the record: this was told now. */
export const toldNow = (running: Build, now: Date): string =>
  JSON.stringify([running.metadata.uid ?? '', heldUpBy(running), Math.floor(now.getTime() / 1000)]);

/** Whether `wanted` says nothing but another message than the Image's status. */
const isOnlyMessage = ({ status }: Image, wanted: ImageStatus): boolean => {
  const said = conditionOf({ status }, 'Ready')?.message;
  const conditions = wanted.conditions?.map((one) => (one.type === 'Ready' ? { ...one, message: said } : one));
  return sameStatus(status, { ...wanted, conditions });
};

/** Seconds for which telling `wanted` may wait; 0 when it is to be told now. `memory` is the text that the record keeps. */
export const mayWaitSeconds = (
  image: Image,
  wanted: ImageStatus,
  running: Build,
  memory: string | undefined,
  now: Date,
): number => {
  const told = v.safeParse(schema, memory);
  if (!told.success || !isOnlyMessage(image, wanted)) return 0;
  const [uid, holdUp, at] = told.output;
  if (uid !== running.metadata.uid || holdUp !== heldUpBy(running)) return 0;
  return Math.max(0, Math.min(repeatSeconds, Math.ceil(at + repeatSeconds - now.getTime() / 1000)));
};
