/** Objects as large as the definitions let them be: the rules must not cost more than the API server spends on one request. */
import { describe, expect, it } from 'vitest';
import type { KpackCluster } from '../../support/kpack-cluster.ts';
import { anObject } from './chapter-01-table.ts';
import { made, type Sent } from './replay.ts';

/** The longest name of an image that a registry could have: host, port, path and tag. */
const longest = (end: number): string => {
  const host = `${'h'.repeat(60)}.`.repeat(4).slice(0, 240);
  const tail = String(end).padStart(4, '0');
  return `${host}example:5000/${'p'.repeat(255 - tail.length)}${tail}:${'t'.repeat(128)}`;
};

const many = <T>(count: number, one: (index: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, at) => one(at));

const largest: readonly { readonly what: string; readonly object: Sent }[] = [
  {
    what: 'an Image with 100 additional tags of the longest names',
    object: anObject('Image', { tag: longest(0), additionalTags: many(100, longest) }),
  },
  { what: 'a Build with 256 tags of the longest names', object: anObject('Build', { tags: many(256, longest) }) },
  {
    what: 'a ClusterStore with 512 sources of the longest names',
    object: anObject('ClusterStore', { sources: many(512, (at) => ({ image: longest(at) })) }),
  },
  {
    what: 'an Image with 128 services of the longest names and 4096 variables',
    object: anObject('Image', {
      build: {
        services: many(128, (at) => ({ kind: 'Secret', name: `${'n'.repeat(249)}${String(at).padStart(4, '0')}` })),
        env: many(4096, (at) => ({ name: `V${at}`, value: 'x' })),
      },
    }),
  },
  {
    what: 'a Builder with 512 groups of 8 buildpacks',
    object: anObject('Builder', {
      order: many(512, (at) => ({ group: many(8, (id) => ({ id: `team/buildpack-${at}-${id}` })) })),
    }),
  },
  {
    what: 'a Builder with 8 groups of 512 buildpacks by kind and name',
    object: anObject('Builder', {
      order: many(8, (at) => ({ group: many(512, (id) => ({ kind: 'ClusterBuildpack', name: `b-${at}-${id}` })) })),
    }),
  },
  {
    what: 'a blob whose address has 8192 characters',
    object: anObject('Image', { source: { blob: { url: `https://x.example/${'a'.repeat(8192 - 18)}` } } }),
  },
];

/** The suite, on a cluster that is there when its tests run. */
export const describeBounds = (cluster: () => KpackCluster): void => {
  describe('the largest objects', () => {
    it.each(largest)('$what is taken', async ({ object }) => {
      expect((await made(cluster(), object)).message).toBe('');
    });

    it('a value with line breaks, which no message may have, is refused all the same and its field named', async () => {
      const answer = await made(cluster(), anObject('Image', { tag: 'a\nb', build: { creationTime: 'x\ny' } }));
      expect(answer.causes.map(({ field }) => field ?? '').sort()).toEqual(['spec.build.creationTime', 'spec.tag']);
      expect(answer.message).toContain('must be a tag such as');
    });
  });
};
