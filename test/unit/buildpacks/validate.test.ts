import { describe, expect, it } from 'vitest';
import type { BuildpackStatus } from '../../../lib/api/buildpacks.ts';
import { assertBuildpackFits, assertPlatformApis, assertSamePlatform } from '../../../lib/buildpacks/validate.ts';
import { aBuildpack, ordering } from './catalogue.ts';

const lifecycle = (buildpack: readonly string[], platform: readonly string[] = ['0.7']) => ({
  apis: {
    buildpack: { deprecated: ['0.2'], supported: buildpack },
    platform: { deprecated: null, supported: platform },
  },
});
const stack = { id: 'some.stack', mixins: new Set(['common', 'build:another', 'run:another']) };
const fits =
  (buildpack: BuildpackStatus, with_ = lifecycle(['0.3', '0.4', '0.5', '0.10'])) =>
  () =>
    assertBuildpackFits(buildpack, stack, with_);

describe('a buildpack fits a builder', () => {
  it('04#77 unless its stacks are others', () => {
    expect(fits(aBuildpack('b@v4', { stacks: [{ id: 'unsupported' }] }))).toThrow(
      'validating buildpack b@v4: stack some.stack is not supported',
    );
  });

  it('04#78 without any stacks', () => {
    expect(fits(aBuildpack('b@1', { stacks: [] }))).not.toThrow();
  });

  it('04#79 unless the stack lacks its mixins', () => {
    expect(fits(aBuildpack('b@v4', { stacks: [{ id: 'some.stack', mixins: ['m1', 'common', 'm2'] }] }))).toThrow(
      'validating buildpack b@v4: stack missing mixin(s): m1, m2',
    );
  });

  const staged = aBuildpack('b@1', {
    stacks: [{ id: 'some.stack', mixins: ['build:common', 'run:common', 'another'] }],
  });

  it('04#80 when mixins differ only in their stage, from platform API 0.7 on', () => {
    expect(fits(staged)).not.toThrow();
  });

  it('04#81 but not before', () => {
    expect(fits(staged, lifecycle(['0.10'], ['0.3', '0.4']))).toThrow(
      'stack missing mixin(s): build:common, run:common, another',
    );
  });

  it('04#82 only when the lifecycle speaks its API', () => {
    expect(fits(aBuildpack('b@1', { api: '0.1' }), lifecycle(['0.3']))).toThrow(
      'validating buildpack b@1: unsupported buildpack api: 0.1, expecting: 0.2, 0.3',
    );
  });

  it('04#83 on any stack from API 0.5 on', () => {
    expect(fits(aBuildpack('b@1', { api: '0.5' }))).not.toThrow();
    expect(fits(aBuildpack('b@1', { api: '0.4' }))).toThrow('stack some.stack is not supported');
    expect(fits(aBuildpack('b@1', { api: 'x' }), lifecycle(['x']))).toThrow('invalid semantic version');
  });

  it('always, when it only orders others', () => {
    expect(fits(aBuildpack('b@1', { api: '9', stacks: [{ id: 'no' }], ...ordering('a@1') }))).not.toThrow();
  });
});

describe('a lifecycle fits a builder', () => {
  it('04#84 when it speaks a platform API that is known', () => {
    expect(() => assertPlatformApis(lifecycle([], ['0.1', '0.2', '0.999']))).toThrow(
      'unsupported platform apis in kpack lifecycle: 0.1, 0.2, 0.999, expecting one of: 0.3, 0.4, 0.5, 0.6, 0.7, 0.8',
    );
    expect(() => assertPlatformApis(lifecycle([], ['0.8', 'not-a-version']))).not.toThrow();
  });

  const amd64 = { os: 'linux', architecture: 'amd64', variant: '' };

  it('04#85 04#86 04#87 when it is for the platform of the build image', () => {
    const check =
      (lifecyclePlatform: typeof amd64, build = amd64) =>
      () =>
        assertSamePlatform(build, lifecyclePlatform, 'IMG');
    expect(check({ ...amd64, architecture: 'arm64' })).toThrow(
      'validating lifecycle image IMG: expected platform to be linux/amd64/ but got linux/arm64/',
    );
    expect(check({ ...amd64, architecture: '' })).not.toThrow();
    expect(check(amd64, { ...amd64, os: 'windows' })).toThrow('windows base images are not supported');
  });
});
