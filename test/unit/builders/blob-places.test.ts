import { describe, expect, it } from 'vitest';
import { blobPlaces } from '../../../lib/builders/blob-places.ts';
import { digestOf } from '../../../lib/oci/digest.ts';

const repository = (path: string, registry = 'reg') => ({ registry, path });

describe('where blobs are known to be', () => {
  it('is remembered for each registry apart, the latest place of several', () => {
    const places = blobPlaces();
    places.remember(repository('one'), digestOf('x'));
    places.remember(repository('two'), digestOf('x'));
    expect(places.find('reg', digestOf('x'))).toEqual(repository('two'));
    expect(places.find('other', digestOf('x'))).toBeUndefined();
  });

  it('is told after an upload that is under way, whatever comes of it', async () => {
    const places = blobPlaces();
    const digest = digestOf('x');
    expect(places.underWay('r', digest)).toBeUndefined();
    const failing = places.uploading('r', digest, () => Promise.reject(new Error('reset')));
    await expect(places.underWay('r', digest)).resolves.toBeUndefined();
    await expect(failing).rejects.toThrow('reset');
    expect(places.underWay('r', digest)).toBeUndefined();
  });

  it('is forgotten, the oldest first, when there is too much of it', () => {
    const places = blobPlaces(2);
    for (const name of ['a', 'b', 'a', 'c']) places.remember(repository(name), digestOf(name));
    expect(['a', 'b', 'c'].map((name) => places.find('reg', digestOf(name))?.path)).toEqual(['a', undefined, 'c']);
  });
});
