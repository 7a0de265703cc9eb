import { describe, expect, it } from 'vitest';
import { stackOf } from '../../../lib/buildpacks/stack-reader.ts';
import { anImage } from './readable.ts';

const spec = { id: 'some.stack', buildImage: { image: 'reg/build' }, runImage: { image: 'reg/run' } };
const user = ['PATH=/bin', 'CNB_USER_ID=1000', 'CNB_GROUP_ID=2000'];

const image = (mixins?: readonly string[], env: readonly string[] = [], id = 'some.stack') =>
  anImage({
    env,
    labels: {
      'io.buildpacks.stack.id': id,
      ...(mixins && { 'io.buildpacks.stack.mixins': JSON.stringify(mixins) }),
    },
  });
const build = (mixins?: readonly string[], id?: string) => image(mixins, user, id);

describe('a stack', () => {
  it('04#24 has the mixins of both images, the user and both resolved images', () => {
    const stack = stackOf(spec, build(['shared', 'build:b']), image(['shared', 'run:r']));
    const { identifier } = anImage();
    expect(stack).toEqual({
      id: 'some.stack',
      buildImage: { latestImage: identifier, image: 'reg/build' },
      runImage: { latestImage: identifier, image: 'reg/run' },
      mixins: ['shared', 'build:b', 'run:r'],
      userId: 1000,
      groupId: 2000,
    });
  });

  it('04#25 04#26 needs its id on both images', () => {
    const sentence = (b: string, r: string): string =>
      `invalid stack images. expected stack: some.stack, build image stack: ${b}, run image stack: ${r}`;
    expect(() => stackOf(spec, build(), image([], [], 'other'))).toThrow(sentence('some.stack', 'other'));
    expect(() => stackOf(spec, build([], 'wrong'), image())).toThrow(sentence('wrong', 'some.stack'));
  });

  it.each([
    ['04#27', ['m1', 'm2'], [], 'runImage missing required mixin(s): m1, m2'],
    ['04#28', [], ['build:x', 'build:y'], 'run image contains build-only mixin(s): build:x, build:y'],
    ['04#29', ['run:x', 'run:y'], [], 'build image contains run-only mixin(s): run:x, run:y'],
  ])('%s refuses mixins that do not fit', (_, buildMixins, runMixins, message) => {
    expect(() => stackOf(spec, build(buildMixins), image(runMixins))).toThrow(message);
  });

  it('04#30 04#31 needs a numeric user on the build image', () => {
    expect(() => stackOf(spec, image([], []), image())).toThrow('validating build image: ENV CNB_USER_ID not found');
    expect(() => stackOf(spec, image([], ['CNB_USER_ID', 'CNB_USER_ID=1', 'CNB_GROUP_ID=abc']), image())).toThrow(
      'validating build image: env CNB_GROUP_ID: strconv.Atoi: parsing "abc": invalid syntax',
    );
  });

  it('04#32 04#33 may have no mixins, and ignores plain ones only the run image has', () => {
    expect(stackOf(spec, build(), image()).mixins).toBeUndefined();
    expect(stackOf(spec, build(['a']), image(['a', 'b'])).mixins).toEqual(['a']);
  });
});
