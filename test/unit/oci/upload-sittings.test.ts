import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRegistry } from '../../../lib/oci/client.ts';
import { sourceOf } from '../../../lib/oci/copy.ts';
import { digestOf } from '../../../lib/oci/digest.ts';
import type { TagReference } from '../../../lib/oci/reference.ts';
import type { BlobSource, OpenUpload, SittingOptions } from '../../../lib/oci/registry.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import { blobOf, someTag } from '../../support/registry-suite.ts';

let fake: FakeRegistry;
let tag: TagReference;
beforeEach(async () => {
  fake = await startFakeRegistry();
  tag = someTag(fake.host);
});
afterEach(() => fake.close());

const registry = openRegistry({ chunkBytes: 1000, retry: { attempts: 1 } });
const bytes = randomBytes(3500);
const blob = blobOf(bytes);
const signal = AbortSignal.timeout(20_000);
const sit = (upload?: OpenUpload, more: Partial<SittingOptions> & { readonly source?: BlobSource } = {}) =>
  registry.pushBlobInSittings(tag, more.source ?? blob, { signal, seconds: 0, upload, ...more });
const isThere = (): boolean => fake.store.repository(tag.path).blobs.get(blob.digest)?.equals(bytes) === true;
const patches = () => fake.requests.filter(({ method }) => method === 'PATCH');

/** Sits until the blob is there; how often. */
const finish = async (from?: OpenUpload, source?: BlobSource): Promise<number> => {
  let upload = from;
  for (let sittings = 1; sittings < 20; sittings += 1) {
    upload = await sit(upload, source === undefined ? {} : { source });
    if (upload === undefined) return sittings;
  }
  throw new Error('it never ends');
};

describe('a blob pushed in sittings', () => {
  it('goes in one when there is time', async () => {
    expect(await sit(undefined, { seconds: 60 })).toBeUndefined();
    expect(isThere()).toBe(true);
  });

  it('goes on where the last one stopped, each byte sent once', async () => {
    expect(await finish()).toBe(4);
    expect(isThere()).toBe(true);
    expect(patches().map(({ bodyBytes }) => bodyBytes)).toEqual([1000, 1000, 1000, 500]);
  });

  it('may be empty', async () => {
    const empty = blobOf(new Uint8Array());
    expect(await registry.pushBlobInSittings(tag, empty, { signal, seconds: 0 })).toBeUndefined();
    expect(fake.store.repository(tag.path).blobs.has(empty.digest)).toBe(true);
  });

  it('reads only the rest from the registry it comes from, and all of it where ranges are unknown', async () => {
    const from = someTag(fake.host);
    fake.store.putBlob(from.path, bytes);
    const source = sourceOf(registry, blob, { repository: from });
    const first = await sit(undefined, { source });
    fake.clearRequests();
    const second = await sit(first, { source });
    expect(fake.requests.find(({ headers }) => headers['range'] !== undefined)?.headers['range']).toBe('bytes=1000-');
    const { openAt: _, ...withoutRanges } = source;
    await finish(second, withoutRanges);
    expect(isThere()).toBe(true);
  });

  it('goes by what the registry says it has: somebody may have died after a piece', async () => {
    const first = await sit();
    await sit(first);
    // The second sitting was not recorded.
    expect(await finish(first)).toBe(2);
    expect(patches()).toHaveLength(4);
    expect(isThere()).toBe(true);
  });

  it('begins anew when the registry has forgotten it, or it was of another blob', async () => {
    const first = await sit();
    fake.store.uploads.clear();
    expect(await finish(first)).toBe(4);
    const other = blobOf(randomBytes(10));
    await registry.pushBlobInSittings(tag, other, { signal, seconds: 0, upload: first });
    expect(fake.store.repository(tag.path).blobs.has(other.digest)).toBe(true);
  });

  it('keeps what an outage left, but fails when nothing was sent', async () => {
    fake.addFault({ kind: 'status', status: 503, method: 'PATCH', path: /state=2000/ });
    const first = await sit(undefined, { seconds: 60 });
    expect(first).toMatchObject({ sentBytes: 2000 });
    fake.addFault({ kind: 'status', status: 503, method: 'PATCH' });
    await expect(sit(first)).rejects.toMatchObject({ code: 'unavailable' });
    expect(await finish(first)).toBe(2);
    expect(isThere()).toBe(true);
  });

  it('that the registry finds out of order fails, and goes on the next time with what the registry has', async () => {
    const first = await sit();
    fake.addFault({ kind: 'status', status: 416, method: 'PATCH' });
    await expect(sit(first)).rejects.toMatchObject({ code: 'rejected', status: 416 });
    expect(await finish(first)).toBe(3);
    expect(isThere()).toBe(true);
  });

  it('goes on with what it remembers where the registry answers no questions, and begins anew when that is wrong', async () => {
    fake.addFault({ kind: 'status', status: 405, method: 'GET', path: /uploads/, times: 100 });
    const first = await sit();
    await sit(first);
    expect(patches().map(({ status }) => status)).toEqual([202, 202]);
    // The second sitting was not recorded: its byte 1000 is refused, and byte 0 of a new upload is sent.
    expect(await sit(first)).toMatchObject({ sentBytes: 1000 });
    expect(patches().map(({ status }) => status)).toEqual([202, 202, 416, 202]);
  });

  it('keeps to the smallest piece that the registry takes, in later sittings too', async () => {
    const least = { kind: 'header', name: 'oci-chunk-min-length', value: '1500', method: 'POST' } as const;
    fake.addFault(least);
    expect(await finish()).toBe(3);
    expect(patches().map(({ bodyBytes }) => bodyBytes)).toEqual([1500, 1500, 500]);
  });

  it('is given up, with the reason, where the registry keeps only one piece', async () => {
    fake.addFault({ kind: 'header', name: 'range', value: '0-999', method: 'PATCH', path: /state=1000/ });
    await expect(sit(undefined, { seconds: 60 })).rejects.toThrow(
      /the registry kept 1000 of 2000 bytes of blob sha256:\w+, which has 3500: it takes no blob over several requests/,
    );
  });

  it('of wrong bytes is found out by the registry and begun anew after', async () => {
    const wrong = { ...blob, openAt: (first: number) => blobOf(randomBytes(bytes.byteLength - first)).open() };
    const first = await sit();
    await expect(finish(first, wrong)).rejects.toMatchObject({ code: 'rejected', status: 400 });
    expect(fake.store.uploads.size).toBe(0);
    expect(await finish(first)).toBe(4);
  });

  it('of a source that ends early or goes on is stopped', async () => {
    const first = await sit();
    for (const length of [2000, 3000]) {
      const source = { ...blob, openAt: () => blobOf(randomBytes(length)).open() };
      await expect(sit(first, { source, seconds: 60 })).rejects.toMatchObject({ code: 'invalid-content' });
    }
    expect(digestOf(bytes)).toBe(blob.digest);
  });
});
