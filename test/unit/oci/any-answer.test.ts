/** Whatever a registry answers — status, headers, body — every call ends with a result or a typed error (fuzz). */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { targetsMemory } from '../../../lib/builders/buildpack-targets.ts';
import { type BuilderRecipe, createBuilder } from '../../../lib/builders/create.ts';
import type { ImageAccess } from '../../../lib/builders/image-access.ts';
import { createForPlatforms } from '../../../lib/builders/many-platforms.ts';
import { targetOf } from '../../../lib/builders/target.ts';
import { configCache } from '../../../lib/buildpacks/fetch-image.ts';
import { ExpectedError, PermanentError } from '../../../lib/errors/expected.ts';
import { openRegistry } from '../../../lib/oci/client.ts';
import { copyBlob } from '../../../lib/oci/copy.ts';
import { digestOf } from '../../../lib/oci/digest.ts';
import { readImage } from '../../../lib/oci/image.ts';
import { ociIndexType, ociManifestType } from '../../../lib/oci/media-types.ts';
import { rebaseImage } from '../../../lib/oci/rebase.ts';
import { parseTag, withDigest } from '../../../lib/oci/reference.ts';
import type { Registry } from '../../../lib/oci/registry.ts';
import { openCosignKey } from '../../../lib/signing/cosign-key.ts';
import { signImage } from '../../../lib/signing/sign-image.ts';
import { cosignKey } from '../../support/cosign-key.ts';
import { blobOf } from '../../support/registry-suite.ts';

interface AnyAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const home = 'registry.example.com';
const tag = parseTag(`${home}/team/app:v1`);
const blob = blobOf(Buffer.from('content'));
const key = await openCosignKey(cosignKey('').pem, '');

const json = fc.oneof(
  fc.jsonValue(),
  fc.record(
    {
      schemaVersion: fc.constantFrom(1, 2, '2', null),
      mediaType: fc.constantFrom(ociManifestType, ociIndexType, 7),
      config: fc.record({ digest: fc.constantFrom(blob.digest, 'sha256:x', 1), size: fc.constantFrom(7, -1, 1e300) }),
      layers: fc.array(fc.record({ digest: fc.constant(blob.digest), size: fc.constantFrom(7, 8) }), { maxLength: 3 }),
      manifests: fc.array(
        fc.record({ digest: fc.constant(blob.digest), size: fc.constant(7), platform: fc.jsonValue() }),
        { maxLength: 3 },
      ),
      errors: fc.oneof(
        fc.jsonValue(),
        fc.array(fc.record({ code: fc.jsonValue(), message: fc.jsonValue(), detail: fc.jsonValue() })),
      ),
      tags: fc.oneof(fc.jsonValue(), fc.array(fc.string())),
      token: fc.oneof(fc.string(), fc.integer()),
      expires_in: fc.oneof(fc.integer(), fc.constantFrom('x', null, 1e308)),
    },
    { requiredKeys: [] },
  ),
);
const headerText = fc.string({ unit: 'grapheme-ascii' }).map((text) => text.replaceAll(/[^\x20-\x7e]/g, ''));
const place = fc.constantFrom(
  '',
  '/',
  '/v2/x',
  `https://${home}/v2/u`,
  'https://evil.example.com/x',
  'http://evil.example.com',
  'ftp://x',
  '//evil.example.com/u',
  '::',
);
const answer: fc.Arbitrary<AnyAnswer> = fc.record({
  status: fc.constantFrom(
    200,
    200,
    200,
    201,
    202,
    204,
    206,
    301,
    302,
    307,
    400,
    401,
    403,
    404,
    405,
    413,
    416,
    429,
    500,
    503,
  ),
  headers: fc.record(
    {
      'content-type': fc.oneof(fc.constantFrom(ociManifestType, ociIndexType, 'application/json'), headerText),
      'docker-content-digest': fc.oneof(fc.constantFrom(blob.digest, digestOf('y'), 'sha256:'), headerText),
      'content-length': fc.oneof(fc.constantFrom('7', '-1', '1e9'), headerText),
      'content-range': fc.oneof(fc.constantFrom('bytes 3-6/7', 'bytes 0-0/*'), headerText),
      location: fc.oneof(place, headerText),
      link: fc.oneof(
        place.map((to) => `<${to}>; rel="next"`),
        headerText,
      ),
      range: fc.oneof(fc.constantFrom('0-6', '0-2', '0-99999999999999999999', 'bytes=0-3'), headerText),
      'retry-after': fc.oneof(fc.constantFrom('0', '1e9', 'Thu, 01 Jan 1970 00:00:00 GMT'), headerText),
      'oci-chunk-min-length': fc.oneof(fc.constantFrom('4', 'Infinity', '-5'), headerText),
      'www-authenticate': fc.oneof(
        fc.constantFrom('Basic realm="x"', `Bearer realm="https://${home}/token",service="s"`, 'Bearer realm="x"'),
        headerText,
      ),
    },
    { requiredKeys: [] },
  ),
  body: fc.oneof(
    json.map((value) => JSON.stringify(value)),
    fc.constantFrom('content', 'tent', ''),
    fc.string(),
  ),
});

const signal = AbortSignal.timeout(30_000);
const names = ['s/build:1', 's/run:1', 'lifecycle:1', 'bp:1'].map((name) => ({ image: `${home}/${name}` }));
const [buildImage, runImage, lifecycleImage, buildpackage] = names as [Named, Named, Named, Named];
interface Named {
  readonly image: string;
}
const latest = (): string => `${home}/s@${blob.digest}`;

/** A builder for whatever platforms its images offer. */
const recipe: BuilderRecipe = {
  stack: {
    apiVersion: 'kpack.io/v1alpha2',
    kind: 'ClusterStack',
    metadata: { name: 's' },
    spec: { id: 's', buildImage, runImage },
    status: { id: 's', buildImage: { latestImage: latest() }, runImage: { latestImage: latest() } },
  },
  lifecycle: {
    apiVersion: 'kpack.io/v1alpha2',
    kind: 'ClusterLifecycle',
    metadata: { name: 'l' },
    spec: lifecycleImage,
    status: { image: { latestImage: latest() } },
  },
  resolved: {
    order: [],
    buildpacks: [
      {
        buildpack: {
          id: 'a',
          version: '1',
          storeImage: buildpackage,
          digest: blob.digest,
          diffId: blob.digest,
          size: 7,
        },
        account: { namespace: '', serviceAccount: '' },
      },
    ],
    needed: [],
    duplicates: '',
  },
  target: targetOf(`${home}/builder`, { kind: 'ClusterBuilder', namespace: '', name: 'b' }),
  additionalLabels: {},
  creatorVersion: 'v1',
};
const accessTo = (registry: Registry): ImageAccess => ({
  registryFor: () => Promise.resolve(registry),
  configs: configCache(),
  signal,
});

const bodiless = new Set([204, 205, 304]);

/** A registry that answers so, one after the other and then from the start; what was asked, with the credential it came with. */
const registryOf = (answers: readonly AnyAnswer[]) => {
  const asked: { readonly host: string; readonly authorization: string | null }[] = [];
  const fetch: typeof globalThis.fetch = async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    asked.push({ host: url.host, authorization: new Headers(init.headers).get('authorization') });
    if (init.body instanceof ReadableStream) for await (const _chunk of init.body) continue;
    const { status = 500, headers, body } = answers[(asked.length - 1) % answers.length] ?? {};
    const none = init.method === 'HEAD' || bodiless.has(status);
    return new Response(none ? null : (body ?? ''), { status, headers: { ...headers } });
  };
  const registry = openRegistry({
    transport: { fetch },
    retry: { attempts: 2, firstWaitMs: 0, longestWaitSeconds: 0 },
    chunkBytes: 4,
    keychain: () => Promise.resolve({ kind: 'basic', username: 'ada', password: 'hunter2' }),
  });
  return { registry, asked };
};

const calls: Readonly<Record<string, (registry: Registry) => Promise<unknown>>> = {
  getManifest: (registry) => registry.getManifest(tag),
  headManifest: (registry) => registry.headManifest(tag),
  putManifest: (registry) => registry.putManifest(tag, { mediaType: ociManifestType, bytes: Buffer.from('{}') }),
  deleteManifest: (registry) => registry.deleteManifest(tag),
  listTags: (registry) => registry.listTags(tag, { limit: 20 }),
  hasBlob: (registry) => registry.hasBlob(tag, blob.digest),
  readBlob: (registry) => registry.readBlob(tag, blob),
  openBlobAt: (registry) => Array.fromAsync(registry.openBlobAt(tag, blob, 3)),
  mountBlob: (registry) => registry.mountBlob(tag, blob.digest, parseTag(`${home}/other`)),
  copyBlob: (registry) => copyBlob(registry, blob, { repository: parseTag(`${home}/other`) }, tag),
  pushBlob: (registry) => registry.pushBlob(tag, blob),
  pushBlobInSittings: (registry) =>
    registry.pushBlobInSittings(tag, blob, {
      seconds: 0,
      signal,
      upload: { digest: blob.digest, location: `https://${home}/v2/u`, sentBytes: 3, minChunkBytes: 0 },
    }),
  deleteBlob: (registry) => registry.deleteBlob(tag, blob.digest),
  createBuilder: (registry) =>
    createBuilder(recipe, { namespace: '', serviceAccount: '' }, accessTo(registry), targetsMemory()),
  createForPlatforms: (registry) =>
    createForPlatforms(recipe, 'all', { namespace: '', serviceAccount: '' }, accessTo(registry)),
  readImage: (registry) => readImage(registry, tag),
  rebaseImage: (registry) =>
    rebaseImage({ tags: registry, app: registry, runImage: registry }, { app: tag, runImage: tag, tags: [tag] }),
  signImage: (registry) => signImage(registry, { image: withDigest(tag, blob.digest), key, annotations: new Map() }),
};

describe('any answer', () => {
  it.each(Object.entries(calls))(
    'to %s is a result or a typed error, and no host but the registry gets the password',
    async (_name, call) => {
      await fc.assert(
        fc.asyncProperty(fc.array(answer, { minLength: 1, maxLength: 6 }), async (answers) => {
          const { registry, asked } = registryOf(answers);
          const failure: unknown = await call(registry).then(
            () => undefined,
            (error: unknown) => error,
          );
          const typed = failure === undefined || failure instanceof ExpectedError || failure instanceof PermanentError;
          expect(typed ? undefined : failure).toBeUndefined();
          expect(String(failure)).not.toContain('hunter2');
          expect(asked.filter(({ host, authorization }) => host !== home && authorization !== null)).toEqual([]);
          expect(asked.length).toBeLessThan(100);
        }),
        { numRuns: 30 },
      );
    },
  );
});
