/** Tags that a rule of their registry never lets be moved. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openRegistry } from '../../../lib/oci/client.ts';
import { digestOf } from '../../../lib/oci/digest.ts';
import { readImage } from '../../../lib/oci/image.ts';
import { rebaseImage } from '../../../lib/oci/rebase.ts';
import {
  parseReference,
  printReference,
  type Reference,
  type TagReference,
  withTag,
} from '../../../lib/oci/reference.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import { someTag } from '../../support/registry-suite.ts';
import { type AnImage, storeImage } from '../../support/stored-image.ts';

let fake: FakeRegistry;
beforeAll(async () => {
  fake = await startFakeRegistry();
});
afterAll(() => fake.close());

const registry = openRegistry({ retry: { firstWaitMs: 1 } });
const stack = { 'io.buildpacks.stack.id': 'some.stack' };

let tag: TagReference;
let run: Reference;
beforeEach(() => {
  tag = someTag(fake.host);
  run = someTag(fake.host);
});

const store = (appImage: AnImage, runImage: AnImage): void => {
  storeImage(fake.store, tag, appImage);
  storeImage(fake.store, parseReference(printReference(run)), runImage);
};
const rebase = (tags: readonly TagReference[] = [tag]) =>
  rebaseImage({ tags: registry, app: registry, runImage: registry }, { app: tag, runImage: run, tags });

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
    const bad = withTag(tag, 'bad');
    storeImage(fake.store, bad, { layers: ['other'] });
    const { reference } = await readImage(registry, bad);
    fake.addFault({ kind: 'status', status, body, method: 'PUT', path: /manifests\/bad/, times: 9 });
    await expect(rebase([bad, tag])).rejects.toMatchObject({
      code: 'immutable',
      message: expect.stringContaining(`tag ${printReference(bad)} holds ${reference.digest}`) as string,
    });
    expect((await readImage(registry, tag)).diffIds[0]).toBe(digestOf('tar of b1'));
  });

  it('pushes nothing to tags that hold the image already, as after a death between push and status', async () => {
    store(app(), { layers: ['b1'], labels: stack });
    const tags = [withTag(tag, 'b1'), withTag(tag, 'b2')];
    const once = await rebase(tags);
    fake.clearRequests();
    fake.addFault({ kind: 'status', status: 400, body: ecr('b1'), method: 'PUT', path: /manifests\/b1/, times: 9 });
    expect(await rebase(tags)).toEqual(once);
    expect(fake.requests.map(({ method }) => method)).toEqual(['GET', 'GET', 'GET', 'GET', 'HEAD', 'HEAD']);
  });

  it('tells what may pass before what never will, so that it is tried again', async () => {
    store(app(), { layers: ['b1'], labels: stack });
    const [bad, down] = [withTag(tag, 'bad'), withTag(tag, 'down')];
    storeImage(fake.store, bad, { layers: ['other'] });
    fake.addFault({ kind: 'status', status: 412, body: harbor, method: 'PUT', path: /manifests\/bad/, times: 9 });
    fake.addFault({ kind: 'status', status: 503, method: 'PUT', path: /manifests\/down/, times: 9 });
    await expect(rebase([bad, down])).rejects.toMatchObject({ code: 'unavailable' });
  });
});
