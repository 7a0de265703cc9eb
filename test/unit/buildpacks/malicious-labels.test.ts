import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lifecycleOf } from '../../../lib/buildpacks/lifecycle-reader.ts';
import type { ReadableImage } from '../../../lib/buildpacks/readable-image.ts';
import { stackOf } from '../../../lib/buildpacks/stack-reader.ts';
import { buildpacksIn } from '../../../lib/buildpacks/store-reader.ts';
import { targetsIn } from '../../../lib/buildpacks/targets.ts';
import { PermanentError } from '../../../lib/errors/expected.ts';
import { anImage, sha } from './readable.ts';

/** JSON that is often nearly right: the keys that matter, over values of any kind. */
const { tree } = fc.letrec<{ readonly tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, 0, -1, 1e21, true, '', sha('1'), '__proto__', '1.0.0'),
    fc.string(),
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom(
        'id',
        'version',
        'group',
        'order',
        'stacks',
        'mixins',
        'layerDiffID',
        'targets',
        'distros',
        'a',
        '__proto__',
        'api',
      ),
      tie('tree'),
      { maxKeys: 4 },
    ),
  ),
}));
const label = fc.oneof(
  fc.string(),
  tree.map((value) => JSON.stringify(value)),
);

const labelNames = [
  'io.buildpacks.buildpackage.metadata',
  'io.buildpacks.buildpack.layers',
  'io.buildpacks.builder.metadata',
  'io.buildpacks.lifecycle.apis',
  'io.buildpacks.stack.mixins',
];
const image = fc
  .tuple(fc.dictionary(fc.constantFrom(...labelNames), label), fc.array(fc.string()), fc.array(fc.string()))
  .map(([labels, env, diffIds]) =>
    anImage({
      labels: { ...labels, 'io.buildpacks.stack.id': 's' },
      env: [...env, 'CNB_USER_ID=1', 'CNB_GROUP_ID=1'],
      diffIds,
    }),
  );

/** What it gives, or the typed failure; anything else is a bug. */
const typed = (read: () => unknown): unknown => {
  try {
    return read();
  } catch (error) {
    if (error instanceof PermanentError) return error;
    throw error;
  }
};

const spec = { id: 's', buildImage: { image: 'b' }, runImage: { image: 'r' } };

describe('labels nobody should write', () => {
  it.each<[string, (one: ReadableImage) => unknown]>([
    ['a store', (content) => buildpacksIn([{ image: 'x', content }])],
    ['a stack', (content) => stackOf(spec, content, content)],
    ['a lifecycle', (content) => lifecycleOf('x', content)],
    ['a package asked for its targets', (content) => targetsIn(content)],
  ])('%s reads or refuses, and never fails otherwise', (_, read) => {
    fc.assert(
      fc.property(image, (one) => {
        expect(typed(() => read(one))).toBeDefined();
      }),
      { numRuns: 300 },
    );
  });
});
