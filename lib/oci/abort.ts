/** Leaving shared work without ending it for the others. */
import { OciError } from './errors.ts';

/** The promise's result, or OciError `timeout` as soon as the signal says stop; the work itself goes on. */
export const orAborted = async <T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
  if (signal === undefined) return work;
  let leave: (() => void) | undefined;
  const stopped = new Promise<never>((_, reject) => {
    leave = () => reject(new OciError('timeout', 'stopped by the caller', { cause: signal.reason }));
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    if (leave !== undefined) signal.removeEventListener('abort', leave);
  }
};
