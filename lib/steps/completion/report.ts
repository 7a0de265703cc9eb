/** `report.toml`: what the exporter or the rebase pushed (spec 03 §12). */
import { parse, TomlError } from 'smol-toml';
import * as v from 'valibot';
import { PermanentError } from '../../errors/expected.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import { readHandedFile } from '../handed-file.ts';

/** The image of a finished build. */
export interface BuildReport {
  /** As given to the exporter, at least one. */
  readonly tags: readonly [string, ...string[]];
  readonly digest: Digest;
}

const schema = v.object({
  image: v.optional(v.object({ tags: v.optional(v.array(v.string()), []), digest: v.optional(v.string(), '') })),
});

/** @throws PermanentError when the file is missing, broken or names no image. */
export async function readReport(path: string): Promise<BuildReport> {
  return parseReport(await readHandedFile(path).catch((cause: unknown) => Promise.reject(broken(path, cause))), path);
}

/** `path` is for messages. */
function parseReport(toml: string, path: string): BuildReport {
  const { tags = [], digest = '' } = imageIn(toml, path) ?? {};
  const [first, ...rest] = tags;
  if (first === undefined) throw new PermanentError('', 'no image found in report');
  if (!isDigest(digest)) throw new PermanentError('', `the image in ${path} has no digest`);
  return { tags: [first, ...rest], digest };
}

function imageIn(toml: string, path: string): v.InferOutput<typeof schema>['image'] {
  try {
    const parsed = v.safeParse(schema, parse(toml));
    if (parsed.success) return parsed.output.image;
  } catch (error) {
    if (error instanceof TomlError) throw broken(path, error);
    throw error;
  }
  throw broken(path, 'its [image] has other fields than tags and digest');
}

function broken(path: string, cause: unknown): PermanentError {
  const why = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
  return new PermanentError('', `error decoding report toml file ${path}: ${why}`, { cause });
}
