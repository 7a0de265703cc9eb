/** The answer to a ConversionReview, and what it says when something cannot be converted. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { convertReview } from '../../../lib/conversion/review.ts';

const build = {
  apiVersion: 'kpack.io/v1alpha2',
  kind: 'Build',
  metadata: { name: 'app-build-1', namespace: 'team' },
  spec: { tags: ['a/b'], builder: { image: 'b/c' }, source: {} },
};
const ask = (objects: readonly unknown[], desiredAPIVersion: unknown = 'kpack.io/v1alpha1') =>
  convertReview({ kind: 'ConversionReview', request: { uid: 'one', desiredAPIVersion, objects } })?.response;

describe('a conversion review', () => {
  it('is answered with every object and its own uid', () => {
    expect(ask([build, { ...build, metadata: { name: 'other' } }])).toMatchObject({
      uid: 'one',
      result: { status: 'Success' },
      convertedObjects: [{ kind: 'Build' }, { metadata: { name: 'other' } }],
    });
  });

  it('gives back an object that is in the version already', () => {
    expect(ask([build], 'kpack.io/v1alpha2')?.convertedObjects).toEqual([build]);
  });

  it('converts none when one cannot be, and names that object and its field', () => {
    const wrong = { ...build, spec: { ...build.spec, lastBuild: 'x' } };
    expect(ask([build, wrong])).toEqual({
      uid: 'one',
      convertedObjects: [],
      result: { status: 'Failure', message: 'Build team/app-build-1: spec.lastBuild is no object' },
    });
  });

  it.each([
    [
      [{ ...build, apiVersion: 'kpack.io/v1beta1' }],
      'conversion not supported for type [kind=Build group=kpack.io version=v1beta1]',
    ],
    [
      [{ ...build, apiVersion: 'apps/v1', kind: 'Deployment' }],
      'no conversion support for type [kind=Deployment group=apps]',
    ],
    [['text'], 'an object is no object'],
    [[{ ...build, metadata: { annotations: { a: 1 } } }], 'metadata.annotations.a is no text'],
    [Array.from({ length: 10_001 }, () => build), 'more than 10000'],
  ])('fails with a sentence about %#', (objects, message) => {
    expect(ask(objects)?.result).toMatchObject({ status: 'Failure' });
    expect(ask(objects)?.result.message).toContain(message);
  });

  it.each(['kpack.io/v2', 'apps/v1', 5, undefined])('fails for the version %s, which nobody knows', (version) => {
    expect(ask([build], version ?? null)?.result.message).toContain('is not valid');
  });

  it.each([undefined, null, 'x', {}, { kind: 'ConversionReview' }, { kind: 'ConversionReview', request: { uid: 1 } }])(
    'is not %j',
    (review) => {
      expect(convertReview(review)).toBeUndefined();
    },
  );

  it('is answered whatever stands in the objects', () => {
    const kinds = fc.constantFrom('Image', 'Build', 'Builder', 'SourceResolver', 'ClusterBuilder');
    const versions = fc.constantFrom('kpack.io/v1alpha1', 'kpack.io/v1alpha2');
    const anything = fc.record({
      apiVersion: versions,
      kind: kinds,
      metadata: fc.option(fc.record({ annotations: fc.jsonValue() }), { nil: undefined }),
      spec: fc.oneof(
        fc.jsonValue(),
        fc.dictionary(fc.constantFrom('build', 'cache', 'order', 'stack', 'lastBuild', 'cacheName'), fc.jsonValue()),
      ),
      status: fc.jsonValue(),
    });
    fc.assert(
      fc.property(anything, versions, (object, to) => {
        expect(['Success', 'Failure']).toContain(ask([object], to)?.result.status);
      }),
      { numRuns: 500 },
    );
  });
});
