/** Which Platform API the lifecycle is told to speak (spec 03 §2). */
import { extensionPlatformApis } from '../../buildpacks/validate-extensions.ts';
import { PermanentError } from '../../errors/expected.ts';

/**
 * The versions the pod speaks. First kpack's, highest first (spec 03 §2): what it would choose is chosen. Then newer ones, for lifecycles that
 * have dropped the others, which kpack refuses; the same arguments do for all of them (test/contract/builds/platform-apis.test.ts).
 */
const spoken = ['0.9', '0.8', '0.7', '0.15', '0.14', '0.13', '0.12', '0.11', '0.10'] as const;

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

const firstOffered = (
  versions: readonly string[],
  offered: readonly string[],
  maximum: string | undefined,
): string | undefined => {
  const ceiling = maximum === undefined || maximum === '' ? undefined : versionOf(maximum);
  for (const text of versions) {
    const wanted = versionOf(text);
    if (ceiling !== undefined && compare(wanted, ceiling) > 0) continue;
    const found = offered.find((candidate) => compare(versionOf(candidate), wanted) === 0);
    if (found !== undefined) return found;
  }
  return undefined;
};

/**
 * The Platform API to speak: the first of ours that the builder offers and the configured maximum allows, in the builder's own spelling.
 * Throws PermanentError when there is none: only another builder image helps.
 */
export const platformApiFor = (offered: readonly string[], maximum?: string): string => {
  const found = firstOffered(spoken, offered, maximum);
  if (found !== undefined) return found;
  throw new PermanentError('', `unsupported builder platform API versions: ${offered.join(',')}`);
};

/** The same for a builder with image extensions, which older versions do not have. Throws PermanentError, as above. */
export const extensionPlatformApiFor = (offered: readonly string[], maximum = ''): string => {
  const found = firstOffered(extensionPlatformApis, offered, maximum);
  if (found !== undefined) return found;
  const limit =
    maximum === '' ? '' : `, and this installation allows ${maximum} at most (KPACKLESS_MAXIMUM_PLATFORM_API)`;
  throw new PermanentError(
    'ExtensionsUnsupported',
    `the builder orders image extensions, which need platform API ${extensionPlatformApis.join(' or ')}; its lifecycle speaks ${offered.join(', ')}${limit}`,
  );
};
