import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { BuildSchema } from '../../../lib/api/build.ts';
import { BuilderSchema } from '../../../lib/api/builder.ts';
import { BuildpackSchema } from '../../../lib/api/buildpack.ts';
import { ClusterBuilderSchema } from '../../../lib/api/cluster-builder.ts';
import {
  builderServiceAccount,
  lifecycleNameOf,
  withBuildDefaults,
  withImageDefaults,
} from '../../../lib/api/defaults.ts';
import { ImageSchema } from '../../../lib/api/image.ts';

const apiVersion = 'kpack.io/v1alpha2' as const;
const metadata = { name: 'x', namespace: 'ns' };
const spec = {
  tag: 'some/image',
  builder: { kind: 'ClusterBuilder', name: 'cb' },
  source: { git: { url: 'https://git.example/x', revision: 'main' } },
};
const image = { apiVersion, kind: 'Image', metadata, spec } as const;
const build = {
  apiVersion,
  kind: 'Build',
  metadata,
  spec: { tags: ['a/b'], builder: { image: 'b' }, source: spec.source },
} as const;
const imageDefaults = {
  serviceAccountName: 'default',
  imageTaggingStrategy: 'BuildNumber',
  failedBuildHistoryLimit: 10,
  successBuildHistoryLimit: 10,
};

describe('defaults the schema states', () => {
  it('01#1 an Image gets account, strategy and limits, and no cache', () => {
    expect(v.parse(ImageSchema, image).spec).toEqual({ ...spec, ...imageDefaults });
  });

  it('01#3 an empty cache stays empty: it is how users opt out', () => {
    expect(v.parse(ImageSchema, { ...image, spec: { ...spec, cache: {} } }).spec.cache).toEqual({});
  });

  it('01#51 unknown fields are dropped', () => {
    expect(v.parse(ImageSchema, { ...image, spec: { ...spec, foo: 1 } }).spec).not.toHaveProperty('foo');
  });

  it('a Build and a Buildpack get the account', () => {
    expect(v.parse(BuildSchema, build).spec.serviceAccountName).toBe('default');
    const buildpack = { apiVersion, kind: 'Buildpack', metadata, spec: { image: 'a/b' } };
    expect(v.parse(BuildpackSchema, buildpack).spec.serviceAccountName).toBe('default');
  });

  it('01#61 a Builder gets stack, store and lifecycle kinds, and no account that would hide the alias', () => {
    const builder = { apiVersion, kind: 'Builder', metadata, spec: { tag: 'a/b', stack: { name: 's' } } };
    expect(v.parse(BuilderSchema, builder).spec).toEqual({
      tag: 'a/b',
      stack: { kind: 'ClusterStack', name: 's' },
      store: { kind: 'ClusterStore' },
      lifecycle: { kind: 'ClusterLifecycle', name: 'default-lifecycle' },
    });
  });

  it('01 §7.1 a ClusterBuilder gets the lifecycle only', () => {
    const wanted = {
      tag: 'a/b',
      stack: { kind: 'ClusterStack', name: 's' },
      serviceAccountRef: { name: 'sa', namespace: 'ns' },
    };
    const builder = { apiVersion, kind: 'ClusterBuilder', metadata, spec: wanted };
    expect(v.parse(ClusterBuilderSchema, builder).spec).toEqual({
      ...wanted,
      lifecycle: { kind: 'ClusterLifecycle', name: 'default-lifecycle' },
    });
  });
});

describe('defaults on read', () => {
  it('02 §2.5 an Image stored without them gets them', () => {
    expect(withImageDefaults(image).spec).toEqual({ ...spec, ...imageDefaults });
  });

  it('what was said is kept, a limit of 0 included', () => {
    const said = {
      serviceAccountName: 'sa',
      imageTaggingStrategy: 'None',
      failedBuildHistoryLimit: 0,
      successBuildHistoryLimit: 3,
    };
    expect(withImageDefaults({ ...image, spec: { ...spec, ...said } }).spec).toEqual({ ...spec, ...said });
  });

  it('the cache is not guessed: only admission knows the storage classes', () => {
    expect(withImageDefaults(image).spec).not.toHaveProperty('cache');
  });

  it('an empty account counts as none', () => {
    expect(withImageDefaults({ ...image, spec: { ...spec, serviceAccountName: '' } }).spec.serviceAccountName).toBe(
      'default',
    );
    expect(withBuildDefaults(build).spec.serviceAccountName).toBe('default');
    expect(
      withBuildDefaults({ ...build, spec: { ...build.spec, serviceAccountName: 'sa' } }).spec.serviceAccountName,
    ).toBe('sa');
  });

  it('01#62 the alias serviceAccount of a Builder counts when serviceAccountName is empty', () => {
    expect(builderServiceAccount({ serviceAccount: 'x' })).toBe('x');
    expect(builderServiceAccount({ serviceAccount: 'x', serviceAccountName: 'y' })).toBe('y');
    expect(builderServiceAccount({})).toBe('default');
  });

  it('01 §7.1 an empty lifecycle name means default-lifecycle', () => {
    expect(lifecycleNameOf({})).toBe('default-lifecycle');
    expect(lifecycleNameOf({ lifecycle: { name: '' } })).toBe('default-lifecycle');
    expect(lifecycleNameOf({ lifecycle: { name: 'lc' } })).toBe('lc');
  });
});
