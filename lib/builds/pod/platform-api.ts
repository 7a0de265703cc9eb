/** Which Platform API the lifecycle is told to speak (spec 03 §2). */
import { PermanentError } from '../../errors/expected.ts';

/** The versions the pod's arguments are written for, highest first. Newer ones would need an extend step (spec 03 §2). */
const spoken = ['0.9', '0.8', '0.7'] as const;

interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

const parsed = (text: string): Version | undefined => {
  const match = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:[-+].*)?$/.exec(text.trim());
  return match === null
    ? undefined
    : { major: Number(match[1]), minor: Number(match[2] ?? 0), patch: Number(match[3] ?? 0) };
};

const versionOf = (text: string): Version => {
  const version = parsed(text);
  if (version === undefined)
    throw new PermanentError('', `unexpected platform version ${text}: Invalid Semantic Version`);
  return version;
};

const compare = (a: Version, b: Version): number => a.major - b.major || a.minor - b.minor || a.patch - b.patch;

/**
 * The highest Platform API that the builder offers, we speak and the configured maximum allows, in the builder's own spelling.
 * Throws PermanentError when there is none: only another builder image helps.
 */
export const platformApiFor = (offered: readonly string[], maximum?: string): string => {
  const ceiling = maximum === undefined || maximum === '' ? undefined : versionOf(maximum);
  for (const text of spoken) {
    const wanted = versionOf(text);
    if (ceiling !== undefined && compare(wanted, ceiling) > 0) continue;
    const found = offered.find((candidate) => compare(versionOf(candidate), wanted) === 0);
    if (found !== undefined) return found;
  }
  throw new PermanentError('', `unsupported builder platform API versions: ${offered.join(',')}`);
};
