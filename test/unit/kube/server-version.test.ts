/** Which API servers are supported, and how they say what they are. */
import { describe, expect, it } from 'vitest';
import { parseServerVersion, supportedServer } from '../../../lib/kube/server-version.ts';

describe('an API server', () => {
  it.each([
    ['as Kubernetes says it', { major: '1', minor: '34', gitVersion: 'v1.34.4' }, { major: 1, minor: 34 }],
    ['as EKS says it', { major: '1', minor: '31+', gitVersion: 'v1.31.2-eks-1' }, { major: 1, minor: 31 }],
    [
      'that emulates an older one',
      { major: '1', minor: '34', emulationMajor: '1', emulationMinor: '31' },
      { major: 1, minor: 31 },
    ],
    ['that says nothing', {}, undefined],
    ['that says something else', { major: '1', minor: '<script>' }, undefined],
  ])('%s has its version', (_, said, version) => {
    expect(parseServerVersion(JSON.stringify(said))).toStrictEqual(version);
  });

  it('whose answer is a page has none', () => {
    expect(parseServerVersion('<html>login</html>')).toBeUndefined();
  });

  it.each([31, 32, 33, 34])('of 1.%i is supported', (minor) => {
    expect(supportedServer({ major: 1, minor })).toStrictEqual({ isSupported: true, note: undefined });
  });

  it.each([24, 30])('05#4 of 1.%i is refused, with what to do', (minor) => {
    expect(supportedServer({ major: 1, minor })).toStrictEqual({
      isSupported: false,
      why: `the cluster is Kubernetes 1.${minor}, and kpackless supports 1.31 to 1.34: upgrade its control plane`,
    });
  });

  it('that is newer than what was tried is supported, and it is said', () => {
    expect(supportedServer({ major: 1, minor: 35 })).toStrictEqual({
      isSupported: true,
      note: 'the cluster is Kubernetes 1.35; kpackless was tried with 1.31 to 1.34',
    });
  });
});
