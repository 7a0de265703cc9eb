import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions, isAtLeast, parseVersion } from '../../../lib/buildpacks/versions.ts';

describe('versions', () => {
  it.each(['1', 'v1.9', '01.2', '1.2.3-rc.1+meta', '0.10'])('%s is one', (text) => {
    expect(parseVersion(text)).toBeDefined();
  });

  it.each(['', 'latest', '1.2.3.4', '1.2.3-01', 'v', '1.x'])('%j is none', (text) => {
    expect(parseVersion(text)).toBeUndefined();
  });

  it('compare by number, and missing parts are zero', () => {
    expect(isAtLeast('0.10', '0.7')).toBe(true);
    expect(isAtLeast('0.4', '0.5')).toBe(false);
    expect(isAtLeast('1', '1.0.0')).toBe(true);
    expect(isAtLeast('nonsense', '0.1')).toBe(false);
  });

  it('compare the same both ways round', () => {
    const version = fc
      .tuple(fc.nat(30), fc.nat(30), fc.constantFrom('', '-a', '-1', '-a.2'))
      .map(([major, minor, pre]) => `${major}.${minor}${pre}`);
    fc.assert(
      fc.property(version, version, (a, b) => {
        const [left, right] = [parseVersion(a), parseVersion(b)];
        if (left === undefined || right === undefined) throw new Error(`${a} or ${b} did not parse`);
        expect(compareVersions(left, right) + compareVersions(right, left)).toBe(0);
      }),
    );
  });
});
