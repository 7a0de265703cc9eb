/** JSON that is no object of the kind is refused by name, for every call, and is never a bug (DESIGN §3.33). */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type KubeClient, kubeClient } from '../../../lib/kube/client.ts';
import { KubeError, saysClusterIsDown } from '../../../lib/kube/errors.ts';
import type { KubeTransport } from '../../../lib/kube/transport.ts';

const key = { kind: 'Image', namespace: 'team', name: 'app' };
const image = {
  apiVersion: 'kpack.io/v1alpha2',
  kind: 'Image',
  metadata: { namespace: 'team', name: 'app', uid: 'u' },
  spec: {},
};
const build = { ...image, kind: 'Build' };

const answering = (body: string): KubeClient => {
  const transport: KubeTransport = {
    server: 'one:443',
    send: () => Promise.resolve({ status: 200, body }),
    stream: () => Promise.reject(new Error('not here')),
    close: () => undefined,
  };
  return kubeClient(transport);
};

const calls: Readonly<Record<string, (kube: KubeClient) => Promise<unknown>>> = {
  get: (kube) => kube.get(key),
  create: (kube) => kube.create(image),
  replace: (kube) => kube.replace(image),
  replaceStatus: (kube) => kube.replaceStatus(image),
  patch: (kube) => kube.patch(key, {}),
  apply: (kube) => kube.apply(image),
};

describe.each(Object.entries(calls))('the answer to %s', (_, call) => {
  it.each([
    ['null', 'null'],
    ['a list', '[]'],
    ['a number', '7'],
    ['a string', '"Image"'],
    ['nothing', ''],
    ['an object without metadata', '{}'],
    ['metadata that is none', JSON.stringify({ ...image, metadata: [] })],
    ['another kind', JSON.stringify(build)],
    ['a Status of success', JSON.stringify({ kind: 'Status', metadata: {}, status: 'Success' })],
    ['another object', JSON.stringify({ ...image, metadata: { ...image.metadata, name: 'web' } })],
    ['a list of the kind', JSON.stringify({ kind: 'ImageList', metadata: {}, items: [image] })],
    ['an object without spec', JSON.stringify({ ...image, spec: undefined })],
    ['an object whose spec is null', JSON.stringify({ ...image, spec: null })],
    ['an object whose spec is a list', JSON.stringify({ ...image, spec: [] })],
    ['an object whose status is a text', JSON.stringify({ ...image, status: 'ok' })],
    ['an object whose conditions are a number', JSON.stringify({ ...image, status: { conditions: 7 } })],
    ['an object with a condition that is null', JSON.stringify({ ...image, status: { conditions: [null] } })],
    ['half an object', JSON.stringify(image).slice(0, 50)],
    ['a page', '<html>sign in</html>'],
  ])('that is %s is refused, and says nothing against the cluster', async (_what, body) => {
    const error = await call(answering(body)).catch((why: unknown) => why);
    expect(error).toBeInstanceOf(KubeError);
    expect(error).toMatchObject({ code: 'server' });
    expect(String(error)).toContain('one:443');
    expect(saysClusterIsDown(error)).toBe(false);
  });

  it('that is the object is taken, with its kind or without', async () => {
    expect(await call(answering(JSON.stringify(image)))).toMatchObject({ metadata: { uid: 'u' } });
    const { kind: _kind, ...bare } = image;
    expect(await call(answering(JSON.stringify(bare)))).toMatchObject({ metadata: { uid: 'u' } });
  });
});

describe('the answer to list', () => {
  const list = (body: unknown) =>
    answering(typeof body === 'string' ? body : JSON.stringify(body))
      .list('Image')
      .catch((error: unknown) => error);

  it.each([
    ['null', 'null'],
    ['a list of JSON', '[]'],
    ['a list without items', { kind: 'ImageList', metadata: {} }],
    ['a list whose items are none', { kind: 'ImageList', metadata: {}, items: { a: 1 } }],
    ['a list without metadata', { kind: 'ImageList', items: [] }],
    ['a list of another kind', { kind: 'BuildList', metadata: {}, items: [] }],
    ['an object of the kind', image],
    ['a list with null in it', { kind: 'ImageList', metadata: {}, items: [image, null] }],
    ['a list with another kind in it', { kind: 'ImageList', metadata: {}, items: [image, build] }],
    ['a list with a nameless object in it', { kind: 'ImageList', metadata: {}, items: [{ metadata: {} }] }],
    ['a list with an object without spec in it', { metadata: {}, items: [{ ...image, spec: null }] }],
    ['half a list', JSON.stringify({ kind: 'ImageList', metadata: {}, items: [image] }).slice(0, 60)],
  ])('that is %s is refused, and not taken for an empty one', async (_, body) => {
    expect(await list(body)).toMatchObject({ name: 'KubeError', code: 'server' });
  });

  it('that has no items because there are none is empty', async () => {
    expect(await list({ kind: 'ImageList', metadata: {}, items: null })).toStrictEqual([]);
    expect(await list({ metadata: {}, items: [] })).toStrictEqual([]);
  });
});

describe('the answer to a TokenRequest', () => {
  it.each(['null', '[]', '{}', '{"status":null}', '{"status":{"token":""}}', '{"status":{"token":7}}'])(
    'that is %s is refused',
    async (body) => {
      const asked = answering(body).token({ namespace: 'team', name: 'sa' }, 'aud', 600);
      await expect(asked).rejects.toMatchObject({ name: 'KubeError', code: 'server' });
    },
  );
});

it('whatever JSON is answered, a call gives an object of its kind and name, or a named failure', async () => {
  const json = fc.oneof(
    fc.jsonValue(),
    fc.record({ kind: fc.jsonValue(), metadata: fc.jsonValue(), items: fc.jsonValue() }),
  );
  await fc.assert(
    fc.asyncProperty(json, fc.constantFrom('list', ...Object.keys(calls)), async (value, verb) => {
      const kube = answering(JSON.stringify(value));
      const given = await (calls[verb]?.(kube) ?? kube.list('Image')).catch((error: unknown) => error);
      const isObject = typeof given === 'object' && given !== null;
      expect(given instanceof KubeError || (isObject && (Array.isArray(given) || 'metadata' in given))).toBe(true);
    }),
    { numRuns: 300 },
  );
});
