import { createHash } from 'node:crypto';
import { assert, nat, property, stringMatching } from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildName,
  buildPodName,
  buildTags,
  cacheClaimName,
  childName,
  numberedTag,
  sourceResolverName,
} from '../../../lib/api/names.ts';
import { PermanentError } from '../../../lib/errors/expected.ts';

const now = new Date('2026-11-21T08:49:34.999Z');
const longest = 'a-very-long-image-name-that-uses-all-sixty-three-characters-xyz';
const digest = `sha256:${'0'.repeat(64)}`;

describe('names of children', () => {
  it('02#89 02#90 short parents keep their whole name', () => {
    expect(buildName('image-name', 1)).toBe('image-name-build-1');
    expect(buildName('image-name', 27)).toBe('image-name-build-27');
    expect(buildPodName('image-name-build-1')).toBe('image-name-build-1-build-pod');
    expect(sourceResolverName('image-name')).toBe('image-name-source');
    expect(cacheClaimName('image-name')).toBe('image-name-cache');
  });

  it('01#98 02#104 a parent of 63 characters is hashed into exactly 63', () => {
    expect(buildName(longest, 1)).toBe('a-very-long-image-name-43b3537f29d4a37ba04110d6231e175c-build-1');
    expect(sourceResolverName(longest)).toBe('a-very-long-image-name-t43b3537f29d4a37ba04110d6231e175c-source');
    for (const name of [buildName(longest, 1), sourceResolverName(longest), cacheClaimName(longest)]) {
      expect(name).toHaveLength(63);
    }
  });

  it('the pod kpack made of a long Build has our name', () => {
    const build = `long-name-${'x'.repeat(45)}-build-1`;
    expect(buildPodName(build)).toBe('long-name-xxxxxxxxxxx3d70a745f85896ec309b011f10f2eb32-build-pod');
  });

  it('the last length that fits is kept, the next is hashed', () => {
    expect(childName('p'.repeat(56), '-source')).toBe(`${'p'.repeat(56)}-source`);
    const hash = createHash('md5').update('p'.repeat(57)).digest('hex');
    expect(childName('p'.repeat(57), '-source')).toBe(`${'p'.repeat(24)}${hash}-source`);
  });

  it('are never longer than a label value and always end as asked', () => {
    assert(
      property(stringMatching(/^[a-z][a-z0-9-]{0,250}$/), nat(1_000_000), (parent, number) => {
        const name = buildName(parent, number);
        expect(name.length).toBeLessThanOrEqual(63);
        expect(name.endsWith(`-build-${number}`)).toBe(true);
      }),
    );
  });

  it('a suffix that leaves no room for the parent is a bug and says so', () => {
    expect(() => childName('p'.repeat(60), '-'.repeat(31))).toThrow(/at most 30/);
  });
});

describe('tags of a Build', () => {
  it('01#95 02#99 the numbered tag keeps the Image’s tag as prefix', () => {
    expect(numberedTag('gcr.io/p/foo:test', 45, now)).toBe('gcr.io/p/foo:test-b45.20261121.084934');
  });

  it('02#100 02#101 without a tag, or with latest, there is no prefix', () => {
    expect(numberedTag('gcr.io/i/notags', 1, now)).toBe('gcr.io/i/notags:b1.20261121.084934');
    expect(numberedTag('gcr.io/i/foo:latest', 1, now)).toBe('gcr.io/i/foo:b1.20261121.084934');
  });

  it('a registry with a port is not a tag', () => {
    expect(numberedTag('10.88.255.2:5000/apps/x', 1, now)).toBe('10.88.255.2:5000/apps/x:b1.20261121.084934');
  });

  it('the time is UTC whatever the zone of the machine', () => {
    expect(numberedTag('gcr.io/i/x', 1, new Date('2026-01-01T00:30:00+02:00'))).toBe('gcr.io/i/x:b1.20251231.223000');
  });

  it('01#96 02#102 the tag stays verbatim, the numbered one is canonical, additional ones follow', () => {
    const spec = { tag: 'some/image', additionalTags: ['some/image:a', 'some/other'], imageTaggingStrategy: '' };
    expect(buildTags(spec, 1, now)).toEqual([
      'some/image',
      'index.docker.io/some/image:b1.20261121.084934',
      'some/image:a',
      'some/other',
    ]);
  });

  it('01#97 02#98 strategy None makes no numbered tag', () => {
    const spec = { tag: 'some/image', additionalTags: ['a/b', 'c/d'], imageTaggingStrategy: 'None' };
    expect(buildTags(spec, 1, now)).toEqual(['some/image', 'a/b', 'c/d']);
  });

  it('02#103 a tag with a digest is refused, for ever, where kpack’s empty list is retried', () => {
    const spec = { tag: `some/image@${digest}`, imageTaggingStrategy: 'BuildNumber' };
    expect(() => buildTags(spec, 1, now)).toThrow(PermanentError);
  });
});
