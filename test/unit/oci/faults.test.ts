import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFetch } from '../../../lib/egress/fetch.ts';
import { guardedFetch } from '../../../lib/egress/guarded-fetch.ts';
import { openRegistry } from '../../../lib/oci/client.ts';
import { digestOf } from '../../../lib/oci/digest.ts';
import { OciError } from '../../../lib/oci/errors.ts';
import { type TagReference, withDigest } from '../../../lib/oci/reference.ts';
import type { Registry } from '../../../lib/oci/registry.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import { blobOf, pushSomeImage, someTag } from '../../support/registry-suite.ts';

const retry = { firstWaitMs: 1 };

describe.each([
  ['open', openFetch()],
  ['guarded', guardedFetch(() => undefined, { plainHttp: 'anywhere' })],
])('over a fetch that is %s', (_what, fetch) => {
  let fake: FakeRegistry;
  let registry: Registry;
  let tag: TagReference;

  beforeEach(async () => {
    fake = await startFakeRegistry();
    registry = openRegistry({ retry, transport: { fetch, idleMs: 200 } });
    tag = someTag(fake.host);
  });
  afterEach(() => fake.close());

  const failure = async (work: Promise<unknown>): Promise<OciError> => {
    const error: unknown = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (error instanceof OciError) return error;
    throw new Error('expected an OciError', { cause: error });
  };
  const statuses = (): readonly string[] =>
    fake.requests.filter(({ path }) => path !== '/v2/').map(({ method, status }) => `${method} ${status}`);

  describe('a registry in trouble', () => {
    it.each([408, 500, 502, 503, 504])('is asked again after %s', async (status) => {
      await pushSomeImage(registry, tag);
      fake.addFault({ kind: 'status', status, times: 2 });
      expect((await registry.getManifest(tag)).digest).toMatch(/^sha256:/);
    });

    it('is asked again when it cuts the connection', async () => {
      await pushSomeImage(registry, tag);
      fake.addFault({ kind: 'reset', times: 2 });
      expect((await registry.getManifest(tag)).digest).toMatch(/^sha256:/);
    });

    it('is given up on after three attempts, with its own words', async () => {
      const body = JSON.stringify({ errors: [{ code: 'UNKNOWN', message: 'disk full', detail: { Tag: 'x' } }] });
      fake.addFault({ kind: 'status', status: 503, body, times: 9 });
      const error = await failure(registry.getManifest(tag));
      expect(error).toMatchObject({ code: 'unavailable', status: 503, pace: 'soon', host: fake.host });
      expect(error.message).toBe(`GET http://${fake.host}/v2/${tag.path}/manifests/v1: UNKNOWN: disk full`);
      expect(statuses()).toHaveLength(3);
    });

    it('that is not there is unreachable, soon again, and says which address', async () => {
      await fake.close();
      const error = await failure(registry.getManifest(tag));
      expect(error).toMatchObject({ code: 'unreachable', pace: 'soon', host: fake.host });
      expect(error.message).toContain('ECONNREFUSED');
      fake = await startFakeRegistry();
    });

    it('that never answers is given up on at the deadline', async () => {
      await pushSomeImage(registry, tag);
      fake.addFault({ kind: 'hang', times: 9 });
      const error = await failure(registry.getManifest(tag));
      expect(error).toMatchObject({ code: 'timeout', pace: 'soon' });
      expect(error.message).toContain('no progress for 0.2 s');
    });

    it('that answers byte by byte is given up on', async () => {
      const slow = openRegistry({ retry, transport: { fetch, idleMs: 5000, graceMs: 100, minBytesPerSecond: 10_000 } });
      await pushSomeImage(registry, tag);
      fake.addFault({ kind: 'slow-loris', everyMs: 20, path: /manifests/ });
      const error = await failure(slow.getManifest(tag));
      expect(error.code).toBe('timeout');
      expect(error.message).toContain('slower than 10000 bytes/s');
    });

    it('is left when the caller has had enough', async () => {
      await pushSomeImage(registry, tag);
      fake.addFault({ kind: 'hang', times: 9 });
      const error = await failure(registry.getManifest(tag, { signal: AbortSignal.timeout(20) }));
      expect(error.code).toBe('timeout');
      expect(error.message).toContain('stopped by the caller');
    });
  });

  describe('a registry that throttles', () => {
    it('is asked again after a short Retry-After', async () => {
      await pushSomeImage(registry, tag);
      fake.addFault({ kind: 'status', status: 429, retryAfter: '0' });
      expect((await registry.getManifest(tag)).digest).toMatch(/^sha256:/);
    });

    it('is asked again without one', async () => {
      await pushSomeImage(registry, tag);
      fake.addFault({ kind: 'status', status: 429, times: 2 });
      expect((await registry.getManifest(tag)).digest).toMatch(/^sha256:/);
    });

    it('is not asked again within the pass when it wants a long pause, which the caller is told', async () => {
      fake.addFault({ kind: 'status', status: 429, retryAfter: '120', times: 9 });
      expect(await failure(registry.getManifest(tag))).toMatchObject({
        code: 'throttled',
        retryAfterSeconds: 120,
        pace: 'soon',
      });
      expect(statuses()).toEqual(['GET 429']);
    });
  });

  describe('refusals', () => {
    it.each([
      [401, 'unauthorized'],
      [403, 'denied'],
      [404, 'not-found'],
      [400, 'rejected'],
    ])('04#125 %s is %s and is looked at again slowly', async (status, code) => {
      fake.addFault({ kind: 'status', status, times: 9 });
      expect(await failure(registry.getManifest(tag))).toMatchObject({ code, status, pace: 'slow', host: undefined });
    });

    it('04#129 says method, URL and status when the registry says nothing', async () => {
      fake.addFault({ kind: 'status', status: 403, method: 'POST', times: 9 });
      const error = await failure(registry.pushBlob(tag, blobOf(Buffer.from('x'))));
      expect(error.message).toBe(
        `POST http://${fake.host}/v2/${tag.path}/blobs/uploads/: unexpected status code 403 Forbidden`,
      );
    });

    it('says that HEAD has no body', async () => {
      fake.addFault({ kind: 'status', status: 403, times: 9 });
      const error = await failure(registry.headManifest(tag));
      expect(error.message).toContain('unexpected status code 403 Forbidden (HEAD responses have no body');
    });

    it('shows at most a line of what a registry says', async () => {
      const errors = Array.from({ length: 9 }, () => ({ code: 'DENIED', message: `a\nb${'x'.repeat(900)}\u202e` }));
      fake.addFault({ kind: 'status', status: 400, body: JSON.stringify({ errors }) });
      const error = await failure(registry.getManifest(tag));
      expect(error.message).toMatch(/: multiple errors returned: (?:DENIED: a bx{253}…(?:; )?){4}$/);
    });

    it('repeats with the registry what was asked, as kpack does', async () => {
      const detail = { Tag: 'v1', Name: tag.path };
      const body = JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown', detail }] });
      fake.addFault({ kind: 'status', status: 404, body });
      const error = await failure(registry.getManifest(tag));
      expect(error.message).toMatch(/: MANIFEST_UNKNOWN: manifest unknown; map\[Name:test\/\w+ Tag:v1\]$/);
    });

    it.each([
      ['a page', '<html>internal</html>'],
      ['JSON of somebody else', '{"error":"internal","errors":"internal"}'],
      ['entries without a code', '{"errors":[{"internal":"x"},"internal"]}'],
      ['a code that is none', '{"errors":[{"code":"internal secret"}]}'],
      ['details beyond what was asked', '{"errors":[{"code":"DENIED","message":"no","detail":{"Secret":"internal"}}]}'],
    ])('shows nothing of %s', async (_, body) => {
      fake.addFault({ kind: 'status', status: 400, body });
      const error = await failure(registry.getManifest(tag));
      expect(error.message).not.toContain('internal');
      expect(error.message).toMatch(/unexpected status code 400 Bad Request$|UNKNOWN$|DENIED: no$/);
    });
  });

  describe('content that is not what it should be', () => {
    it('a manifest by digest is compared with it', async () => {
      const digest = digestOf(await pushSomeImage(registry, tag));
      fake.addFault({ kind: 'corrupt', path: /manifests/ });
      const error = await failure(registry.getManifest(withDigest(tag, digest)));
      expect(error.code).toBe('invalid-content');
      expect(error.message).toContain(`does not match requested digest: "${digest}"`);
    });

    it.each([
      ['corrupt', 'invalid-content', 'has content of digest'],
      ['truncate', 'unreachable', ''],
    ] as const)('a blob that comes %s is never whole', async (kind, code, words) => {
      const blob = blobOf(randomBytes(200_000));
      await registry.pushBlob(tag, blob);
      fake.addFault({ kind, path: /blobs\/sha256/ });
      let read = 0;
      const reading = async (): Promise<void> => {
        for await (const chunk of registry.openBlob(tag, blob)) read += chunk.byteLength;
      };
      const error = await failure(reading());
      expect(error.code).toBe(code);
      expect(error.message).toContain(words);
      expect(read).toBeLessThan(200_000);
    });

    it('a blob longer than its name says is cut off', async () => {
      const blob = blobOf(randomBytes(200_000));
      await registry.pushBlob(tag, blob);
      const error = await failure(registry.readBlob(tag, { digest: blob.digest, size: 10 }));
      expect(error.message).toContain('is longer than its 10 bytes');
    });

    it('a blob above the limit is not even asked for', async () => {
      const error = await failure(registry.readBlob(tag, { digest: digestOf('x'), size: 11 }, { limitBytes: 10 }));
      expect(error.code).toBe('invalid-content');
      expect(statuses()).toEqual([]);
    });

    it('a manifest without end is cut off', async () => {
      fake.store.putManifest(
        tag.path,
        'application/vnd.oci.image.manifest.v1+json',
        Buffer.alloc(9 * 1024 * 1024),
        'v1',
      );
      const error = await failure(registry.getManifest(tag));
      expect(error.message).toContain('manifest is longer than');
    });

    it('schema 1 is told apart', async () => {
      fake.store.putManifest(
        tag.path,
        'application/vnd.docker.distribution.manifest.v1+prettyjws',
        Buffer.from('{}'),
        'v1',
      );
      const error = await failure(registry.getManifest(tag));
      expect(error.message).toContain(
        'unsupported MediaType: "application/vnd.docker.distribution.manifest.v1+prettyjws"',
      );
    });

    it('a registry that stores something else is found out', async () => {
      fake.addFault({ kind: 'header', name: 'docker-content-digest', value: digestOf('other'), method: 'PUT' });
      const error = await failure(
        registry.putManifest(tag, { mediaType: 'application/json', bytes: Buffer.from('{}') }),
      );
      expect(error.message).toContain('the registry stored');
    });

    it('HEAD without a digest is made good by reading the manifest', async () => {
      const bytes = await pushSomeImage(registry, tag);
      fake.addFault({ kind: 'header', name: 'docker-content-digest', value: undefined, method: 'HEAD' });
      expect((await registry.headManifest(tag))?.digest).toBe(digestOf(bytes));
    });

    it('tags on another host are not followed', async () => {
      await pushSomeImage(registry, tag);
      fake.addFault({
        kind: 'header',
        name: 'link',
        value: '<http://evil.example.com/v2/x/tags/list>; rel="next"',
        path: /tags/,
      });
      expect((await failure(registry.listTags(tag))).message).toContain('the next page of tags is on another host');
    });
  });

  describe('uploads', () => {
    it('are begun anew when the registry fails in the middle', async () => {
      const blob = blobOf(randomBytes(3_000_000));
      fake.addFault({ kind: 'fail-mid-upload', method: 'PUT' });
      await registry.pushBlob(tag, blob);
      expect(await registry.hasBlob(tag, blob.digest)).toBe(true);
      expect(fake.requests.filter(({ method }) => method === 'POST')).toHaveLength(2);
    });

    it('are begun anew when the registry has lost them', async () => {
      fake.addFault({
        kind: 'status',
        status: 404,
        method: 'PUT',
        body: '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"gone"}]}',
      });
      expect(await registry.pushBlob(tag, blobOf(randomBytes(10)))).toBe('uploaded');
    });

    it('are not repeated when the registry says no', async () => {
      fake.addFault({ kind: 'status', status: 403, method: 'PUT', times: 9 });
      expect(await failure(registry.pushBlob(tag, blobOf(randomBytes(10))))).toMatchObject({ code: 'denied' });
      expect(statuses()).toEqual(['POST 202', 'PUT 403']);
    });

    it('never complete with wrong bytes', async () => {
      const bytes = randomBytes(100_000);
      const lying = { ...blobOf(bytes), digest: digestOf('something else') };
      const error = await failure(registry.pushBlob(tag, lying));
      expect(error.code).toBe('invalid-content');
      expect(fake.store.repositories.get(tag.path)?.blobs.size ?? 0).toBe(0);
    });

    it('fail with the error of where the bytes come from', async () => {
      const broken = {
        ...blobOf(randomBytes(10)),
        open: () => registry.openBlob(tag, { digest: digestOf('none'), size: 10 }),
      };
      expect(await failure(registry.pushBlob(someTag(fake.host), broken))).toMatchObject({ code: 'not-found' });
    });

    it('go on without a mount that is refused', async () => {
      fake.addFault({ kind: 'status', status: 400, path: /mount=/ });
      expect(await registry.pushBlob(tag, blobOf(randomBytes(10)), { mountFrom: someTag(fake.host) })).toBe('uploaded');
    });

    it('take one POST and one PUT', async () => {
      await registry.pushBlob(tag, blobOf(randomBytes(10)));
      expect(statuses()).toEqual(['POST 202', 'PUT 201']);
    });

    it('are refused when the registry wants pieces that no memory holds', async () => {
      fake.addFault({ kind: 'status', status: 413, method: 'PUT' });
      fake.addFault({ kind: 'header', name: 'oci-chunk-min-length', value: String(2 ** 40), method: 'POST', times: 2 });
      const error = await failure(registry.pushBlob(tag, blobOf(randomBytes(10))));
      expect(error.message).toContain('the registry wants pieces of at least 1099511627776 bytes');
    });

    it('send a known length, not chunks of HTTP', async () => {
      await registry.pushBlob(tag, blobOf(randomBytes(1234)));
      expect(fake.requests.at(-1)?.headers['content-length']).toBe('1234');
      expect(fake.requests.at(-1)?.headers['transfer-encoding']).toBeUndefined();
    });
  });
});
