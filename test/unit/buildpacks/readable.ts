import type { ReadableImage } from '../../../lib/buildpacks/readable-image.ts';

/** A hex digest of one digit. */
export const sha = (digit: string): `sha256:${string}` => `sha256:${digit.repeat(64)}`;

/** A valid linux/amd64 image without labels; a test names only what matters. */
export const anImage = (over: Partial<ReadableImage> = {}): ReadableImage => ({
  identifier: `example.com/some/image@${sha('a')}`,
  labels: {},
  env: [],
  diffIds: [],
  layers: [],
  platform: { os: 'linux', architecture: 'amd64', variant: '' },
  ...over,
});
