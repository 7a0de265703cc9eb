import { describe, expect, it } from 'vitest';
import { lifecycleOf } from '../../../lib/buildpacks/lifecycle-reader.ts';
import { anImage } from './readable.ts';

const labels = {
  'io.buildpacks.builder.metadata':
    '{"lifecycle":{"version":"some-version"},"api":{"buildpack":"0.7","platform":"0.7"}}',
  'io.buildpacks.lifecycle.apis':
    '{"buildpack":{"deprecated":[],"supported":["0.7","0.8"]},"platform":{"deprecated":["0.6"],"supported":["0.7"]}}',
};

describe('a lifecycle', () => {
  it('04#36 has version, api and apis; an empty list is null', () => {
    expect(lifecycleOf('reg/lifecycle', anImage({ labels }))).toEqual({
      image: { latestImage: anImage().identifier, image: 'reg/lifecycle' },
      version: 'some-version',
      api: { buildpack: '0.7', platform: '0.7' },
      apis: {
        buildpack: { deprecated: null, supported: ['0.7', '0.8'] },
        platform: { deprecated: ['0.6'], supported: ['0.7'] },
      },
    });
  });

  it.each([
    ['04#37', 'io.buildpacks.lifecycle.apis'],
    ['04#38', 'io.buildpacks.builder.metadata'],
  ] as const)('%s needs the label %s', (_, missing) => {
    const { [missing]: _left, ...rest } = labels;
    expect(() => lifecycleOf('x', anImage({ labels: rest }))).toThrow(`could not find label ${missing}`);
  });
});
