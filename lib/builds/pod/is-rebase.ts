import type { Build } from '../../api/build.ts';
import { reasonAnnotation } from '../../api/labels.ts';
import { annotation } from './build-facts.ts';

/**
 * Whether the Build only moves the image onto another run image: the one reason is STACK, there is a last image, and its stack is the
 * builder's (spec 03 §3). Any mix of reasons builds from source.
 */
export const isRebase = (build: Build, builderStackId: string): boolean =>
  build.spec.lastBuild !== undefined &&
  annotation(build, reasonAnnotation) === 'STACK' &&
  build.spec.lastBuild.stackId === builderStackId;
