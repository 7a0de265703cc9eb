import { describe, expect, it } from 'vitest';
import { metadataFromImage } from '../../../lib/builds/metadata-from-image.ts';

describe('an image without a stack id', () => {
  it('04#142 says nothing of stack, lifecycle and buildpacks, and is no error; the image itself stays named', () => {
    const made = { latestImage: 'reg.io/app@sha256:0', latestCacheImage: '' };
    expect(metadataFromImage({}, made)).toEqual({
      ...made,
      stackId: '',
      stackRunImage: '',
      lifecycleVersion: '',
      buildpacks: [],
    });
  });
});
