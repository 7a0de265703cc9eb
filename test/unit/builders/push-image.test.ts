import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BlobToPush, type ImageToPush, type PushBudget, pushImage } from '../../../lib/builders/push-image.ts';
import { openRegistry } from '../../../lib/oci/client.ts';
import { digestOf } from '../../../lib/oci/digest.ts';
import { dockerManifestType } from '../../../lib/oci/media-types.ts';
import { parseRepository, parseTag } from '../../../lib/oci/reference.ts';
import type { OpenUpload, Registry } from '../../../lib/oci/registry.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const registry = openRegistry({ retry: { attempts: 1 } });

describe('pushing an image', () => {
  let fake: FakeRegistry;

  const own = (text: string): BlobToPush => {
    const bytes = bytesOf(text);
    return { digest: digestOf(bytes), size: bytes.byteLength, bytes };
  };
  const from = (source: FakeRegistry, path: string, text: string): BlobToPush => {
    source.store.putBlob(path, bytesOf(text));
    const { digest, size } = own(text);
    return { digest, size, from: { registry, repository: parseRepository(`${source.host}/${path}`) } };
  };
  const image = (blobs: readonly BlobToPush[]): ImageToPush => {
    const bytes = bytesOf(JSON.stringify({ layers: blobs.map(({ digest }) => digest) }));
    return {
      target: parseTag(`${fake.host}/to/app:tag`),
      manifest: { mediaType: dockerManifestType, digest: digestOf(bytes), bytes },
      blobs,
    };
  };
  const push = (wanted: ImageToPush, over: Partial<PushBudget> = {}) =>
    pushImage(registry, wanted, {
      signal: AbortSignal.timeout(20_000),
      seconds: 10,
      now: new Date('2026-11-21T08:09:10Z'),
      ...over,
    });
  const target = () => fake.store.repository('to/app');

  beforeEach(async () => {
    fake = await startFakeRegistry();
  });
  afterEach(() => fake.close());

  it('04#126 puts blobs first, a tag of the time, and the tag itself last', async () => {
    const wanted = image([own('config'), own('layer')]);
    expect(await push(wanted)).toEqual({ state: 'pushed' });
    expect(target().tags).toEqual(
      new Map([
        ['20261121080910', wanted.manifest.digest],
        ['tag', wanted.manifest.digest],
      ]),
    );
    const writes = fake.requests.filter(({ method, path }) => method === 'PUT' && path.includes('/manifests/'));
    expect(writes.at(-1)?.path).toBe('/v2/to/app/manifests/tag');
  });

  it('04#127 writes nothing when the tag has it already', async () => {
    const wanted = image([own('config')]);
    await push(wanted);
    fake.clearRequests();
    expect(await push(wanted)).toEqual({ state: 'there' });
    expect(fake.requests.map(({ method }) => method)).toEqual(['HEAD']);
  });

  it('mounts what another repository of the registry has', async () => {
    await push(image([from(fake, 'base', 'layer')]));
    expect(target().blobs.has(digestOf('layer'))).toBe(true);
    expect(fake.requests.filter(({ path }) => path.includes('mount='))).toHaveLength(1);
    expect(fake.requests.some(({ method, path }) => method === 'GET' && path.includes('/blobs/'))).toBe(false);
  });

  it('copies what is in another registry', async () => {
    const other = await startFakeRegistry();
    await push(image([from(other, 'base', 'layer')]));
    await other.close();
    expect(String(target().blobs.get(digestOf('layer')))).toBe('layer');
  });

  it('leaves layers out that only their maker may serve', async () => {
    const foreign = { ...from(fake, 'base', 'windows'), foreign: true };
    await push(image([foreign, own('config')]));
    expect(target().blobs.has(foreign.digest)).toBe(false);
  });

  it('sends no blob twice that occurs twice', async () => {
    await push(image([own('same'), own('same')]));
    expect(fake.requests.filter(({ method, path }) => method === 'POST' && path.includes('uploads'))).toHaveLength(1);
  });

  it('finishes over several calls when time is short, each moving at least one blob', async () => {
    const wanted = image(Array.from({ length: 4 }, (_, i) => own(`layer ${i}`)));
    // Every upload outlasts the budget, so that only the first of each call is begun in time.
    const slow: Registry = {
      ...registry,
      pushBlob: async (repository, blob, { signal } = {}) => {
        if (signal?.aborted === false) await once(signal, 'abort');
        return registry.pushBlob(repository, blob);
      },
    };
    const budget = {
      signal: AbortSignal.timeout(20_000),
      seconds: 0.7,
      manner: { blobs: 'alone' },
      now: new Date(),
    } as const;
    const results = [];
    for (let call = 0; call < 4; call += 1) results.push(await pushImage(slow, wanted, budget));
    expect(results).toEqual([
      { state: 'unfinished', blobs: 1, of: 4 },
      { state: 'unfinished', blobs: 2, of: 4 },
      { state: 'unfinished', blobs: 3, of: 4 },
      { state: 'pushed' },
    ]);
  });

  it('asks for another manner when not even one blob gets through in its time', async () => {
    fake.addFault({ kind: 'hang', method: 'POST', times: 10 });
    const stuck = { state: 'unfinished', blobs: 0, of: 1, stuck: true };
    expect(await push(image([own('large')]), { seconds: 0.05 })).toEqual(stuck);
  });

  it('fails when the last manner does not get a piece through either', async () => {
    fake.addFault({ kind: 'hang', method: 'POST', times: 10 });
    const budget = { manner: { blobs: 'sittings' }, signal: AbortSignal.timeout(50) } as const;
    await expect(push(image([own('large')]), budget)).rejects.toMatchObject({ code: 'timeout' });
  });

  it('sends in sittings what is not there, and says where to go on', async () => {
    const small = openRegistry({ chunkBytes: 4 });
    const wanted = image([own('there'), own('twelve bytes')]);
    await push(image([own('there')]));
    const budget = { signal: AbortSignal.timeout(20_000), seconds: 0, now: new Date() };
    const results = [];
    for (let upload: OpenUpload | undefined, n = 0; n < 5; n += 1) {
      const result = await pushImage(small, wanted, { ...budget, manner: { blobs: 'sittings', upload } });
      results.push(result);
      if (result.state !== 'unfinished') break;
      upload = result.upload;
    }
    expect(results).toMatchObject([
      { state: 'unfinished', blobs: 1, of: 2, upload: { sentBytes: 4, size: 12 } },
      { state: 'unfinished', blobs: 1, of: 2, upload: { sentBytes: 8, size: 12 } },
      { state: 'pushed' },
    ]);
    expect(String(target().blobs.get(digestOf('twelve bytes')))).toBe('twelve bytes');
  });

  it('goes on after the blobs that are there', async () => {
    const first = image([own('a'), own('b')]);
    await push(first);
    fake.clearRequests();
    await push(image([own('a'), own('b'), own('c')]));
    expect(fake.requests.filter(({ method, path }) => method === 'POST' && path.includes('uploads'))).toHaveLength(1);
  });

  it('fails with the registry’s words when it may not write', async () => {
    fake.addFault({ kind: 'status', method: 'POST', status: 403, times: 100 });
    await expect(push(image([own('config')]))).rejects.toThrow(/403 Forbidden/);
    expect(target().tags.size).toBe(0);
  });
});
