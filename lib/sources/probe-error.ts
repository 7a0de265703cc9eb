/** A blob or image that is followed could not be looked at. */
import { ExpectedError } from '../errors/expected.ts';

/** The message names the source without credentials and is fit for a condition; pace `slow` means that somebody has to act. */
export class SourceProbeError extends ExpectedError {
  override readonly name = 'SourceProbeError';
}
