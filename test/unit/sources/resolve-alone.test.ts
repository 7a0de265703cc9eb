/** Sources that are what they say, and who says it. */
import { describe, expect, it } from 'vitest';
import type { SourceResolver } from '../../../lib/api/source-resolver.ts';
import { isAnsweredByMaker, resolvedAlone } from '../../../lib/sources/resolve-alone.ts';

const created = '2026-11-30T09:00:00Z';
const at = (seconds: number): Date => new Date(Date.parse(created) + seconds * 1000);
const owner = { apiVersion: 'kpack.io/v1alpha2', kind: 'Image', name: 'app', uid: 'u', controller: true };
const resolver = (source: object, rest: object = {}): SourceResolver => ({
  apiVersion: 'kpack.io/v1alpha2',
  kind: 'SourceResolver',
  metadata: { name: 'app-source', creationTimestamp: created, ownerReferences: [owner] },
  spec: { source },
  ...rest,
});
const registry = { registry: { image: 'registry.example/source:1' }, subPath: 'app' };

describe('a source', () => {
  it('that is a blob or an image, and not followed, is what it says', () => {
    expect(resolvedAlone(resolver(registry))).toEqual({
      registry: { image: 'registry.example/source:1', subPath: 'app' },
    });
    expect(resolvedAlone(resolver({ blob: { url: 'https://blob.example/a.zip', stripComponents: 1 } }))).toEqual({
      blob: { url: 'https://blob.example/a.zip', stripComponents: 1 },
    });
  });

  it.each([
    ['of git', resolver({ git: { url: 'https://git.example/a', revision: '1'.repeat(40) } })],
    [
      'that is followed',
      { ...resolver(registry), metadata: { name: 'a', annotations: { 'image.kpack.io/pollInterval': '5m' } } },
    ],
    ['that is none', resolver({})],
  ])('%s has to be asked about', (_, one) => {
    expect(resolvedAlone(one)).toBeUndefined();
  });
});

describe('a new SourceResolver', () => {
  it('is left to the Image that made it, for moments', () => {
    expect(isAnsweredByMaker(resolver(registry), at(0.3))).toBe(true);
    expect(isAnsweredByMaker(resolver(registry), at(2))).toBe(false);
  });

  it.each([
    ['somebody made by hand', resolver(registry, { metadata: { name: 'a', creationTimestamp: created } })],
    ['has an answer already', resolver(registry, { status: { conditions: [] } })],
    ['has to be asked about', resolver({ git: { url: 'https://git.example/a', revision: 'main' } })],
    ['does not say when it was made', resolver(registry, { metadata: { name: 'a', ownerReferences: [owner] } })],
  ])('that %s is looked at at once', (_, one) => {
    expect(isAnsweredByMaker(one, at(0.3))).toBe(false);
  });
});
