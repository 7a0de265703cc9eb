/** What people ask of an Image by annotation: another Build, or none for now (DESIGN §5). Pure. */
import type { Build } from '../api/build.ts';
import type { Image } from '../api/image.ts';
import { additionalBuildNeededAnnotation, pausedAnnotation, retryAnnotation } from '../api/labels.ts';

/**
 * Whether another Build is asked for: by kpack's annotation on the last Build, or by a value on the Image that the last Build was not
 * made for. Each Build carries the value, so that one request makes one Build.
 */
export const isAskedFor = (image: Image, last: Build | undefined): boolean => {
  const built = last?.metadata.annotations ?? {};
  if (built[additionalBuildNeededAnnotation] !== undefined) return true;
  const asked = image.metadata.annotations?.[retryAnnotation];
  return last !== undefined && asked !== undefined && asked !== built[retryAnnotation];
};

/** Whether no new Build may be made. */
export const isPaused = (image: Image): boolean => image.metadata.annotations?.[pausedAnnotation] === 'true';

/** What the condition says of a pause; `reasons` is why a Build would be made, empty when none would. */
export const pauseRemark = (image: Image, reasons: string): string => {
  if (!isPaused(image)) return '';
  const due = reasons === '' ? 'no Build is due' : `a Build is due: ${reasons}`;
  return `Builds are paused by annotation ${pausedAnnotation}; ${due}`;
};
