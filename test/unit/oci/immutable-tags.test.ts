/** Tags that a rule of their registry never lets be moved. */
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../lib/oci/digest.ts';
import { readImage } from '../../../lib/oci/image.ts';
import { printReference, withTag } from '../../../lib/oci/reference.ts';
import { type AnImage, storeImage } from '../../support/stored-image.ts';
import { rebaseWorld, registry, stack } from './rebase-world.ts';

const the = rebaseWorld();
const { store, rebase } = the;

const app = (): AnImage => ({
  layers: ['old base', 'buildpack', 'app'],
  labels: {
    ...stack,
    'io.buildpacks.lifecycle.metadata': JSON.stringify({ runImage: { topLayer: digestOf('tar of old base') } }),
  },
});

describe('a rebase', () => {
  const ecr = (name: string) =>
    JSON.stringify({
      errors: [
        {
          code: 'TAG_INVALID',
          message: `The image tag '${name}' already exists in the 'app' repository and cannot be overwritten because the repository is immutable.`,
        },
      ],
    });
  const harbor = JSON.stringify({
    errors: [{ code: 'PRECONDITION', message: "Failed to process request due to 'app:v1' configured as immutable." }],
  });
  it.each([
    ['ECR', 400, ecr('bad')],
    ['Harbor', 412, harbor],
    ['a registry that says no more than 412', 412, ''],
  ])('names a tag that %s never lets move, its rule, and moves the others', async (_, status, body) => {
    store(app(), { layers: ['b1'], labels: stack });
    const bad = withTag(the.tag, 'bad');
    storeImage(the.fake.store, bad, { layers: ['other'] });
    const { reference } = await readImage(registry, bad);
    the.fake.addFault({ kind: 'status', status, body, method: 'PUT', path: /manifests\/bad/, times: 9 });
    await expect(rebase([bad, the.tag])).rejects.toMatchObject({
      code: 'immutable',
      message: expect.stringContaining(`tag ${printReference(bad)} holds ${reference.digest}`) as string,
    });
    expect((await readImage(registry, the.tag)).diffIds[0]).toBe(digestOf('tar of b1'));
  });

  it('pushes nothing to tags that hold the image already, as after a death between push and status', async () => {
    store(app(), { layers: ['b1'], labels: stack });
    const tags = [withTag(the.tag, 'b1'), withTag(the.tag, 'b2')];
    const once = await rebase(tags);
    the.fake.clearRequests();
    the.fake.addFault({ kind: 'status', status: 400, body: ecr('b1'), method: 'PUT', path: /manifests\/b1/, times: 9 });
    expect(await rebase(tags)).toEqual(once);
    expect(the.fake.requests.map(({ method }) => method)).toEqual(['GET', 'GET', 'GET', 'GET', 'HEAD', 'HEAD']);
  });

  it('tells what may pass before what never will, so that it is tried again', async () => {
    store(app(), { layers: ['b1'], labels: stack });
    const [bad, down] = [withTag(the.tag, 'bad'), withTag(the.tag, 'down')];
    storeImage(the.fake.store, bad, { layers: ['other'] });
    the.fake.addFault({ kind: 'status', status: 412, body: harbor, method: 'PUT', path: /manifests\/bad/, times: 9 });
    the.fake.addFault({ kind: 'status', status: 503, method: 'PUT', path: /manifests\/down/, times: 9 });
    await expect(rebase([bad, down])).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('a manifest that is put under a tag', () => {
  const manifest = {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    bytes: Buffer.from('{"schemaVersion":2}'),
  };
  const refuse = (status: number, code: string, message: string): void =>
    the.fake.addFault({
      kind: 'status',
      status,
      method: 'PUT',
      path: new RegExp(`${the.tag.path}/manifests`, 'u'),
      times: 9,
      body: JSON.stringify({ errors: [{ code, message }] }),
    });
  /** Words of registries, as their sources or users have them. */
  const rules = [
    [
      400,
      'TAG_INVALID',
      "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the repository is immutable.",
    ],
    [412, 'PRECONDITION', "Failed to process request due to 'app:v1' configured as immutable."],
    [409, 'CONFLICT', 'cannot overwrite tag'],
    [400, 'MANIFEST_INVALID', 'cannot update tag v1. The repository has enabled tag immutability'],
    [403, 'DENIED', 'The operation is disallowed on this registry, repository or image.'],
    [400, 'UNKNOWN', 'Repository does not allow updating assets: docker-hosted'],
    [405, 'UNSUPPORTED', 'The operation is disallowed on this registry, repository or image.'],
    [403, 'DENIED', "Not enough permissions to delete/overwrite artifact 'docker-local/app/v1/manifest.json'"],
    [409, 'CONFLICT', 'This package already exists and overwrites (republishing) is disabled.'],
    [403, 'DENIED', 'tag v1 already exists and can not be overwritten'],
    [400, 'TAG_ALREADY_EXISTS', 'overwriting is not permitted for this feed'],
  ] as const;

  it.each(rules)(
    'is refused for ever with %i %s: the tag is named, and what it holds',
    async (status, code, message) => {
      storeImage(the.fake.store, the.tag, { layers: ['other'] });
      const { digest } = (await readImage(registry, the.tag)).reference;
      refuse(status, code, message);
      await expect(registry.putManifest(the.tag, manifest)).rejects.toMatchObject({
        code: 'immutable',
        pace: 'slow',
        message: expect.stringMatching(
          new RegExp(`${digest}, and its registry does not let it be moved`, 'u'),
        ) as string,
      });
    },
  );

  it.each(rules)('is there already though it is refused with %i %s', async (status, code, message) => {
    the.fake.store.putManifest(the.tag.path, manifest.mediaType, manifest.bytes, the.tag.tag);
    refuse(status, code, message);
    expect(await registry.putManifest(the.tag, manifest)).toBe(digestOf(manifest.bytes));
  });

  it.each([
    [403, 'DENIED', 'requested access to the resource is denied', 'denied'],
    [400, 'MANIFEST_INVALID', 'manifest invalid', 'rejected'],
    [503, 'UNKNOWN', 'immutable for now', 'unavailable'],
    [401, 'UNAUTHORIZED', 'tag is immutable', 'unauthorized'],
    [403, 'DENIED', 'no right to push to registry.example/immutable-apps/app:v1', 'denied'],
    [403, 'DENIED', "no right to push to repository 'immutable'", 'denied'],
  ])('that is refused for another reason (%i %s) says that', async (status, code, message, wanted) => {
    storeImage(the.fake.store, the.tag, { layers: ['other'] });
    refuse(status, code, message);
    await expect(registry.putManifest(the.tag, manifest)).rejects.toMatchObject({ code: wanted });
  });

  it('that nothing holds yet is refused as the registry says', async () => {
    refuse(400, 'TAG_INVALID', 'the tag name does not match the rule');
    await expect(registry.putManifest(the.tag, manifest)).rejects.toMatchObject({ code: 'rejected' });
  });
});
