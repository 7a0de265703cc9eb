import { describe, expect, it } from 'vitest';
import type { Builder, BuilderStatus } from '../../../lib/api/builder.ts';
import type { Image } from '../../../lib/api/image.ts';
import { builderKey, isUpToDate, readyBuilder } from '../../../lib/images/image-builder.ts';

const both: BuilderStatus['conditions'] = [
  { type: 'Ready', status: 'True' },
  { type: 'UpToDate', status: 'True' },
];
const builder = (generation: number): Builder => ({
  apiVersion: 'kpack.io/v1alpha2',
  kind: 'Builder',
  metadata: { name: 'b', namespace: 'ns', generation },
  spec: {
    tag: 't',
    stack: { kind: 'ClusterStack', name: 's' },
    lifecycle: { kind: 'ClusterLifecycle', name: 'l' },
    order: [],
    store: { kind: 'ClusterStore' },
  },
  status: { observedGeneration: 1, conditions: both, latestImage: 'reg.io/b@sha256:0' },
});
const image = (kind: string): Image =>
  ({ metadata: { name: 'i', namespace: 'ns' }, spec: { builder: { kind, name: 'b', namespace: 'other' } } }) as Image;

describe('the builder of an Image', () => {
  it('04#122 counts as ready and up to date for its current spec only', () => {
    expect([readyBuilder(builder(1))?.image, isUpToDate(builder(1))]).toEqual(['reg.io/b@sha256:0', true]);
    expect([readyBuilder(builder(2)), isUpToDate(builder(2))]).toEqual([undefined, false]);
  });

  it('says how the steps of its builds follow each other, if it is annotated with it', () => {
    const annotations = { 'image.kpack.io/buildSteps': 'parallel' };
    const annotated = { ...builder(1), metadata: { ...builder(1).metadata, annotations } };
    expect([readyBuilder(annotated)?.buildSteps, readyBuilder(builder(1))?.buildSteps]).toEqual([
      'parallel',
      undefined,
    ]);
  });

  it('04#123 is a ClusterBuilder by name whatever namespace is said, or a Builder beside the Image, or an error', () => {
    expect(builderKey(image('ClusterBuilder'))).toEqual({ kind: 'ClusterBuilder', namespace: '', name: 'b' });
    expect(builderKey(image('Builder'))).toEqual({ kind: 'Builder', namespace: 'ns', name: 'b' });
    expect(() => builderKey(image('unknown'))).toThrow('unknown builder type: unknown');
  });
});
