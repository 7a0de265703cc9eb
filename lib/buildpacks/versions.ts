/** Versions of buildpacks and APIs as kpack compares them: loose SemVer (spec 04 §7.1 "Semver"). */
import { compare, parse, type SemVer } from 'semver';

const loose =
  /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

const withoutLeadingZeros = (digits: string | undefined): string => (digits ?? '').replace(/^0+(?=\d)/, '') || '0';

/**
 * `v1.9`, `1` and `01.2.3` are versions, missing parts are 0; `1.2.3.4`, `latest` and the empty text are none.
 * Buildpack and platform APIs such as `0.10` are read the same way.
 */
export const parseVersion = (text: string): SemVer | undefined => {
  const parts = loose.exec(text);
  if (parts === null) return undefined;
  const [, major, minor, patch, prerelease = '', build = ''] = parts;
  const numbers = [major, minor, patch].map(withoutLeadingZeros).join('.');
  return parse(`${numbers}${prerelease}${build}`) ?? undefined;
};

/** True when both parse and `text` is not below `least`. */
export const isAtLeast = (text: string, least: string): boolean => {
  const [version, bound] = [parseVersion(text), parseVersion(least)];
  return version !== undefined && bound !== undefined && compare(version, bound) >= 0;
};

/** Ascending by precedence; build metadata does not count. */
export const compareVersions = (a: SemVer, b: SemVer): number => compare(a, b);
