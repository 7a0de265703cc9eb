/** `analyzed.toml` as detect and restore leave it: which run image the app gets, and whether extensions add to it. */
import { parse, TomlError } from 'smol-toml';
import * as v from 'valibot';
import { PermanentError } from '../../errors/expected.ts';
import { identifierOf, parseReference, sameRepository } from '../../oci/reference.ts';
import { readHandedFile } from '../handed-file.ts';

const text = v.optional(v.string(), '');
const schema = v.object({
  'run-image': v.optional(v.object({ image: text, reference: text, extend: v.optional(v.boolean(), false) })),
});

/** The run image of the app. */
export interface AnalyzedRunImage {
  /** As the platform or an extension named it. */
  readonly image: string;
  /** With digest, once it was restored. */
  readonly reference: string;
  /** Whether a run.Dockerfile adds to it. */
  readonly extend: boolean;
}

/** @throws PermanentError when the file is missing or broken. */
export async function readAnalyzed(path: string): Promise<AnalyzedRunImage> {
  try {
    const parsed = v.parse(schema, parse(await readHandedFile(path)));
    return parsed['run-image'] ?? { image: '', reference: '', extend: false };
  } catch (cause) {
    const why = cause instanceof TomlError || cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new PermanentError('', `${path} cannot be read: ${why}`, { cause });
  }
}

const same = (one: string, other: string): boolean => {
  const [a, b] = [parseReference(one), parseReference(other)];
  return sameRepository(a, b) && identifierOf(a) === identifierOf(b);
};

/** The run image, with digest, that must be extended although the pod was made for another; undefined when there is no such thing. */
export const chosenRunImage = ({ image, reference, extend }: AnalyzedRunImage, madeFor: string): string | undefined =>
  !extend || same(image, madeFor) ? undefined : reference;
