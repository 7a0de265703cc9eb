/** Blobs and images that are followed because an annotation asks for it; kpack never looks at them again (spec 02 §8.4). */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import type { Pass } from '../reconcile/reconciler.ts';

/** Why a source cannot be followed although it is asked for: for the condition. */
export interface NotFollowed {
  readonly notFollowed: string;
}

/** A version, or why there is none. */
export type Version = { readonly version: string } | NotFollowed;

/** What a source is: looked at anew when any of it changes. */
export const sourceDigest = (parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);

const memorySchema = v.object({
  of: v.string(),
  at: v.number(),
  version: v.optional(v.string()),
  why: v.optional(v.string()),
});
type Memory = v.InferOutput<typeof memorySchema>;

const remembered = (text: string | undefined): Memory | undefined => {
  if (text === undefined || !text.startsWith('{')) return undefined;
  try {
    const parsed = v.safeParse(memorySchema, JSON.parse(text));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
};

/** The version and how long it counts, in seconds. */
export interface Followed {
  readonly version: Version;
  readonly nextSeconds: number;
}

/**
 * The version of a source that is looked at every `intervalSeconds`: what the last look found while that is fresh, however often the
 * pass is woken, else what `look` finds. @throws what `look` throws; the last version stays remembered
 */
export const followedVersion = async (
  pass: Pick<Pass, 'memory' | 'now' | 'remember'>,
  { of, intervalSeconds }: { readonly of: string; readonly intervalSeconds: number },
  look: () => Promise<Version>,
): Promise<Followed> => {
  const now = Math.floor(pass.now.getTime() / 1000);
  const had = remembered(pass.memory);
  if (had?.of === of && now < had.at + intervalSeconds) {
    const version = had.version === undefined ? { notFollowed: had.why ?? '' } : { version: had.version };
    return { version, nextSeconds: had.at + intervalSeconds - now };
  }
  const version = await look();
  const found = 'version' in version ? { version: version.version } : { why: version.notFollowed };
  pass.remember(JSON.stringify({ of, at: now, ...found } satisfies Memory));
  return { version, nextSeconds: intervalSeconds };
};
