import { describe, expect, it } from 'vitest';
import {
  assertTargetsFit,
  type BaseTarget,
  baseTargetOf,
  targetsIn,
  targetsKey,
} from '../../../lib/buildpacks/targets.ts';
import { anImage, sha } from './readable.ts';

const layersLabel = 'io.buildpacks.buildpack.layers';
const packageWith = (targets: unknown) =>
  anImage({ labels: { [layersLabel]: JSON.stringify({ a: { '1': { layerDiffID: sha('1'), targets } } }) } });
const read = (targets: unknown) =>
  targetsIn(packageWith(targets)).get(targetsKey({ id: 'a', version: '1', diffId: sha('1') })) ?? [];

const jammy: BaseTarget = {
  os: 'linux',
  architecture: 'amd64',
  variant: '',
  distro: { name: 'ubuntu', version: '22.04' },
};
const unsaid: BaseTarget = { ...jammy, distro: { name: '', version: '' } };
const arm: BaseTarget = { ...unsaid, architecture: 'arm64', variant: 'v8' };
const check =
  (targets: unknown, base: BaseTarget = jammy) =>
  () =>
    assertTargetsFit('a@1', 'group 1 → a@1', read(targets), base);

describe('the targets of a buildpack', () => {
  it.each([
    ['none at all', undefined],
    ['an empty list', []],
    ['a target that says nothing', [{}]],
    ['the platform', [{ os: 'linux', arch: 'amd64' }]],
    ['any architecture', [{ os: 'linux', arch: '' }]],
    ['the distribution', [{ os: 'linux', distros: [{ name: 'ubuntu', version: '22.04' }] }]],
    ['any version of the distribution', [{ os: 'linux', distros: [{ name: 'ubuntu' }] }]],
    [
      'one of several',
      [
        { os: 'linux', arch: 'arm64' },
        { os: 'linux', arch: 'amd64' },
      ],
    ],
    ['a distribution of several', [{ distros: [{ name: 'debian' }, { name: 'ubuntu', version: '22.04' }] }]],
    ['keys nobody knows', [{ os: 'linux', colour: 'red' }]],
  ])('fit with %s', (_what, targets) => {
    expect(check(targets)).not.toThrow();
  });

  it.each([
    [[{ os: 'windows' }], 'windows'],
    [[{ os: 'linux', arch: 'arm64' }], 'linux/arm64'],
    [[{ arch: 'arm64' }], '*/arm64'],
    [[{ os: 'linux', arch: 'arm', variant: 'v7' }], 'linux/arm/v7'],
    [[{ os: 'linux', distros: [{ name: 'ubuntu', version: '24.04' }] }], 'linux (ubuntu 24.04)'],
    [
      [
        { os: 'linux', arch: 'arm64' },
        { os: 'linux', distros: [{ name: 'debian' }] },
      ],
      'linux/arm64 or linux (debian)',
    ],
  ])('%j do not fit, and the message says both sides', (targets, theirs) => {
    expect(check(targets)).toThrow(
      `validating buildpack a@1: it is for ${theirs}, the builder for linux/amd64 (ubuntu 22.04); ordered by group 1 → a@1`,
    );
  });

  it('compare the variant only when both sides have one', () => {
    expect(check([{ os: 'linux', arch: 'arm64' }], arm)).not.toThrow();
    expect(check([{ os: 'linux', arch: 'arm64', variant: 'v8' }], arm)).not.toThrow();
    expect(check([{ os: 'linux', arch: 'arm64', variant: 'v9' }], arm)).toThrow('the builder for linux/arm64/v8;');
  });

  it('of a distribution fit base images that do not say theirs: the lifecycle reads /etc/os-release later', () => {
    expect(check([{ os: 'linux', distros: [{ name: 'alpine' }] }], unsaid)).not.toThrow();
  });

  it('are those of the very layer: another edition under the same version says nothing', () => {
    const known = targetsIn(packageWith([{ os: 'windows' }]));
    expect(known.get(targetsKey({ id: 'a', version: '1', diffId: sha('2') }))).toBeUndefined();
  });

  it('are refused when malformed, and none in an image that is no package', () => {
    expect(() => read('linux')).toThrow(/label io\.buildpacks\.buildpack\.layers of .* is malformed at a\.1\.targets/u);
    expect(targetsIn(anImage()).size).toBe(0);
  });
});

describe('what a builder is for', () => {
  const distro = (name: string, version: string) => ({
    'io.buildpacks.base.distro.name': name,
    'io.buildpacks.base.distro.version': version,
  });
  const [build, run] = [anImage({ labels: distro('ubuntu', '22.04') }), anImage({ labels: distro('debian', '12') })];

  it('is the build image’s platform with the run image’s distribution, else with its own, else with none', () => {
    expect(baseTargetOf(build, run)).toEqual({
      os: 'linux',
      architecture: 'amd64',
      variant: '',
      distro: { name: 'debian', version: '12' },
    });
    expect(baseTargetOf(build, anImage()).distro).toEqual({ name: 'ubuntu', version: '22.04' });
    expect(baseTargetOf(anImage(), anImage()).distro).toEqual({ name: '', version: '' });
  });
});
