/** Which platforms a builder is wanted for, beyond kpack's one. */
import { PermanentError } from '../errors/expected.ts';
import type { Platform } from '../oci/descriptor.ts';

/** `os/architecture`. */
export type PlatformName = string;

/** Exactly these, or as many as all parts offer. */
export type PlatformsWanted = 'all' | readonly PlatformName[];

/** The platform kpack makes builders for; comes first in an index, as some clients take the first. */
export const usualPlatformName: PlatformName = 'linux/amd64';

export const platformName = ({ os, architecture }: Platform): PlatformName => `${os}/${architecture}`;

/** The usual one first, then by name. */
export const byPlatform = (a: PlatformName, b: PlatformName): number =>
  Number(b === usualPlatformName) - Number(a === usualPlatformName) || (a < b ? -1 : 1);

const mostPlatforms = 16;

/** The annotation's text: `all`, or names with commas between. Throws PermanentError for anything else. */
export const platformsWanted = (text: string | undefined): PlatformsWanted | undefined => {
  if (text === undefined || text === '') return undefined;
  if (text === 'all') return 'all';
  const names = [...new Set(text.split(',').map((name) => name.trim()))].sort(byPlatform);
  if (names.length <= mostPlatforms && names.every((name) => /^linux\/[a-z0-9]{1,20}$/.test(name))) return names;
  throw new PermanentError(
    'ReconcileFailed',
    `annotation kpack.io/platforms is ${JSON.stringify(text.slice(0, 200))}; write all, or platforms such as linux/amd64,linux/arm64`,
  );
};
