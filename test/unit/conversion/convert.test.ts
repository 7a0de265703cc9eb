/** Single conversions: what kpack carries, what it loses and we do not, and whose change wins (spec 01 §10 and §12). */
import { describe, expect, it } from 'vitest';
import { remainderAnnotation } from '../../../lib/api/labels.ts';
import { convert } from '../../../lib/conversion/convert.ts';
import type { ConvertedKind } from '../../../lib/conversion/defaults.ts';
import type { JsonObject } from '../../../lib/conversion/json.ts';

interface Converted extends JsonObject {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: Readonly<Record<string, unknown>> & { readonly build?: JsonObject; readonly cache?: JsonObject };
}

const [older, stored] = ['kpack.io/v1alpha1', 'kpack.io/v1alpha2'] as const;
const source = { git: { url: 'https://git.example/app', revision: 'main' } };
const imageSpec = { tag: 'registry.example/team/app', builder: { kind: 'Builder', name: 'b' }, source };

const object = (kind: ConvertedKind, apiVersion: string, spec: JsonObject, annotations?: JsonObject): JsonObject => ({
  apiVersion,
  kind,
  metadata: { name: 'x', namespace: 'ns', ...(annotations === undefined ? {} : { annotations }) },
  spec,
});
const toOlder = (from: JsonObject): Converted => convert(from['kind'] as ConvertedKind, from, older) as Converted;
const toStored = (from: JsonObject, options = {}): Converted =>
  convert(from['kind'] as ConvertedKind, from, stored, options) as Converted;
const image = (spec: JsonObject = {}): JsonObject => object('Image', stored, { ...imageSpec, ...spec });

const rich = image({
  build: {
    services: [{ apiVersion: 'v1', name: 's', kind: 'Secret' }],
    tolerations: [{ operator: 'Exists', key: 'a' }],
    affinity: {},
    buildTimeout: 7,
  },
  cache: { registry: { tag: 'registry.example/cache' } },
  defaultProcess: 'web',
});

describe('an Image', () => {
  it('01#76 carries what v1alpha1 has no field for under kpack’s keys, members in the order of Go’s types', () => {
    expect(toOlder(rich).metadata.annotations).toEqual({
      'kpack.io/services': '[{"kind":"Secret","name":"s","apiVersion":"v1"}]',
      'kpack.io/tolerations': '[{"key":"a","operator":"Exists"}]',
      'kpack.io/affinity': '{}',
      'kpack.io/buildTimeout': '7',
      'kpack.io/cache.registry.tag': 'registry.example/cache',
      'kpack.io/defaultProcess': 'web',
    });
  });

  it('01#77 has its fields back, and none of the carriers, when it is written unchanged', () => {
    const back = toStored(toOlder(rich));
    expect(back.spec).toMatchObject(rich['spec'] as JsonObject);
    expect(back.metadata.annotations).toBeUndefined();
  });

  it('01#78 keeps its additional tags, which kpack loses', () => {
    const back = toStored(toOlder(image({ additionalTags: ['registry.example/team/other'] })));
    expect(back.spec['additionalTags']).toEqual(['registry.example/team/other']);
  });

  it('01#79 keeps its empty cache, which kpack fills', () => {
    const defaultCache = { volume: { size: '2G' } };
    expect(toStored(toOlder(image({ cache: {} })), { defaultCache }).spec.cache).toEqual({});
  });

  it('01#80 gets the cache that is given to Images without one', () => {
    const defaultCache = { volume: { size: '2G' } };
    expect(toStored(object('Image', older, imageSpec), { defaultCache }).spec.cache).toEqual(defaultCache);
    expect(toStored(object('Image', older, imageSpec)).spec.cache).toBeUndefined();
  });

  it('01#81 with a cache in a registry has no cacheSize', () => {
    expect(toOlder(rich).spec).not.toHaveProperty('cacheSize');
  });

  it('01#82 leaves a carrier that cannot be read and those behind it where they are, with an empty build', () => {
    const annotations = { 'kpack.io/tolerations': 'oops', 'kpack.io/defaultProcess': 'web' };
    const back = toStored(object('Image', older, imageSpec, annotations));
    expect(back.spec.build).toEqual({});
    expect(back.spec).not.toHaveProperty('defaultProcess');
    expect(back.metadata.annotations).toEqual(annotations);
  });

  it('01#83 keeps notary and bindings of v1alpha1', () => {
    const bindings = [{ name: 'b', metadataRef: { name: 'm' } }];
    const notary = { v1: { url: 'https://notary.example', secretRef: { name: 's' } } };
    const back = toStored(object('Image', older, { ...imageSpec, notary, build: { bindings } }));
    expect(back.spec).toMatchObject({ notary, build: { cnbBindings: bindings } });
  });

  it('takes what a client of v1alpha1 says over what is carried', () => {
    const read = toOlder(image({ cache: {} }));
    const changed = { ...read, spec: { ...read.spec, cacheSize: '3Gi' } };
    expect(toStored(changed).spec.cache).toEqual({ volume: { size: '3Gi' } });
  });

  it('is read even when the annotation would be too large, and then not written in v1alpha1', () => {
    const read = toOlder(image({ additionalTags: [`registry.example/${'a'.repeat(140_000)}`] }));
    expect(read.metadata.annotations?.[remainderAnnotation]).toBe('too large for an annotation');
    expect(() => toStored(read)).toThrow('change it in v1alpha2');
  });

  it('keeps an annotation of ours that cannot be read, and goes by what is left', () => {
    const annotations = { [remainderAnnotation]: '[{"path":["status","latestImage"],"is":"evil"}]' };
    const back = toStored(object('Image', older, imageSpec, annotations));
    expect(back.metadata.annotations).toEqual(annotations);
    expect(back['status']).toBeUndefined();
  });
});

describe('a Builder and a Build', () => {
  it('01#85 has one group of none for a buildpack that is named by kind, and the buildpack back', () => {
    const order = [{ group: [{ kind: 'Buildpack', name: 'x' }] }];
    const builder = object('Builder', stored, { tag: 'a/b', stack: { name: 's' }, order });
    expect(toOlder(builder).spec['order']).toEqual([{ group: [] }]);
    expect(toStored(toOlder(builder)).spec['order']).toEqual(order);
  });

  it('takes the order that a client of v1alpha1 writes over the one that is carried', () => {
    const order = [{ group: [{ kind: 'Buildpack', name: 'x' }] }];
    const read = toOlder(object('Builder', stored, { tag: 'a/b', stack: { name: 's' }, order }));
    const written = [{ group: [{ id: 'other' }] }];
    expect(toStored({ ...read, spec: { ...read.spec, order: written } }).spec['order']).toEqual(written);
  });

  it('01#86 keeps its run image, which kpack loses', () => {
    const runImage = { image: 'registry.example/run' };
    const build = object('Build', stored, { tags: ['a/b'], builder: { image: 'b/c' }, source, runImage });
    expect(toOlder(build).spec).not.toHaveProperty('runImage');
    expect(toStored(toOlder(build)).spec['runImage']).toEqual(runImage);
  });
});
