/** The definitions as a real API server understands them: accepted, structural, defaulting, pruning nothing kpack ever wrote. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { definitionOf } from '../../../infra/crds/definition.ts';
import type { StructuralSchema } from '../../../infra/crds/structural-schema.ts';
import { waitUntil } from '../../../infra/local/cluster/wait.ts';
import { crdName, type Kind, kindNames, kinds } from '../../../lib/api/kinds.ts';
import { type ApiServer, apiServerIsHere, startApiServer } from '../../support/api-server.ts';
import { type GoldenObject, goldenObjects, type Json, lost } from '../../support/golden-objects.ts';

interface Stored extends Json {
  readonly metadata: { readonly resourceVersion: string };
  readonly spec: Json;
  readonly status?: Json;
}

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const apiVersion = 'kpack.io/v1alpha2';
const strict = '?fieldValidation=Strict';

/** Objects sent at a time: enough to keep the server busy, few enough for its own limits. */
const atOnce = 8;

describe.runIf(apiServerIsHere)('a real API server', () => {
  let server: ApiServer;
  const collection = (kind: Kind): string =>
    `/apis/${apiVersion}${kinds[kind].scope === 'Namespaced' ? '/namespaces/default' : ''}/${kinds[kind].plural}`;
  const create = async (kind: Kind, name: string, spec: Json): Promise<Stored> =>
    (await server.api.send('POST', `${collection(kind)}${strict}`, {
      apiVersion,
      kind,
      metadata: { name },
      spec,
    })) as Stored;
  const conditionsOf = async (kind: Kind) => {
    const definition = await server.api.send('GET', `${definitions}/${crdName(kind)}`);
    const { status } = definition as { status?: { conditions?: readonly { type: string; status: string }[] } };
    return (status?.conditions ?? []).map(({ type, status: truth }) => `${type} ${truth}`);
  };

  beforeAll(async () => {
    server = await startApiServer();
    for (const kind of kindNames) await server.api.send('POST', definitions, definitionOf(kind));
    for (const kind of kindNames) {
      const established = async (): Promise<boolean> => (await conditionsOf(kind)).includes('Established True');
      await waitUntil(established, { what: crdName(kind), timeout: 20_000 });
      await waitUntil(async () => (await server.api.send('GET', collection(kind))) !== undefined, {
        what: `${crdName(kind)} being served`,
        timeout: 20_000,
      });
    }
  });

  afterAll(async () => {
    await server?.stop();
  });

  it.each(kindNames)('finds the definition of %s structural', async (kind) => {
    expect(await conditionsOf(kind)).toEqual(['NamesAccepted True', 'Established True']);
  });

  it('02#152 02#153 refuses to change the spec of a Build, and lets its annotations be changed', async () => {
    const spec = {
      tags: ['registry.example/app'],
      builder: { image: 'registry.example/builder' },
      source: { git: { url: 'u', revision: 'r' } },
    };
    const stored = await create('Build', 'frozen', spec);
    const path = `${collection('Build')}/frozen`;
    const changed = { ...stored, spec: { ...stored.spec, source: { git: { url: 'u', revision: 'another' } } } };
    await expect(server.api.send('PUT', path, changed)).rejects.toThrow('spec cannot be changed: make another Build');
    const { metadata } = stored;
    const annotated = {
      ...stored,
      metadata: { ...metadata, annotations: { 'image.kpack.io/additionalBuildNeeded': '' } },
    };
    expect(await server.api.send('PUT', path, annotated)).toMatchObject({ spec: stored.spec });
    const status = { conditions: [{ type: 'Succeeded', status: 'Unknown' }] };
    const now = (await server.api.send('GET', path)) as Stored;
    expect(await server.api.send('PUT', `${path}/status`, { ...now, status })).toMatchObject({ status });
  });

  const keepAll = async (object: GoldenObject, name: string): Promise<readonly string[]> => {
    const { kind, spec, status } = object;
    try {
      const created = await create(kind, name, spec);
      const missing = lost(spec, created.spec, `${kind}.spec`);
      if (status === undefined) return missing;
      const path = `${collection(kind)}/${name}/status${strict}`;
      const updated = (await server.api.send('PUT', path, { ...created, status })) as Stored;
      return [...missing, ...lost(status, updated.status, `${kind}.status`)];
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  };

  /** No webhook ran when these were recorded; kpack’s own refuses the five objects with such a field (spec 01 §7.4). */
  const wouldBeRefused = ['invalid value: 2020-01-01T00:00:00Z', 'missing field(s): spec.source.git.revision'];

  it('keeps every field of every spec and status kpack wrote', async () => {
    const objects = goldenObjects()
      .filter(({ file }) => file !== 'conversion.json') // carries unknown fields on purpose
      .flatMap((recording) => recording.objects);
    const missing: string[] = [];
    for (let first = 0; first < objects.length; first += atOnce) {
      const batch = objects.slice(first, first + atOnce);
      missing.push(
        ...(await Promise.all(batch.map((object, index) => keepAll(object, `golden-${first + index}`)))).flat(),
      );
    }
    expect(missing.filter((fault) => !wouldBeRefused.some((rule) => fault.includes(rule)))).toEqual([]);
    expect(objects.length).toBeGreaterThan(300);
  });

  const image = {
    tag: 'some/image',
    builder: { kind: 'ClusterBuilder', name: 'cb' },
    source: { git: { url: 'https://git.example/x', revision: 'main' } },
  };

  it('01#1 01#3 defaults an Image, treats null as absent and leaves an empty cache empty', async () => {
    const sent = { ...image, serviceAccountName: null, notary: null, cache: {} };
    expect((await create('Image', 'defaults', sent)).spec).toEqual({
      ...image,
      cache: {},
      serviceAccountName: 'default',
      imageTaggingStrategy: 'BuildNumber',
      failedBuildHistoryLimit: 10,
      successBuildHistoryLimit: 10,
    });
  });

  it('tells what every field means, which is what kubectl explain prints', async () => {
    const published = await server.api.send('GET', '/openapi/v3/apis/kpack.io/v1alpha2');
    const { components } = published as { components: { schemas: Record<string, StructuralSchema> } };
    const image = components.schemas['io.kpack.v1alpha2.Image'];
    const build = image?.properties?.['spec']?.properties?.['build'];
    expect(image?.properties?.['spec']?.required).toEqual(['tag', 'builder', 'source']);
    expect(build?.description).toBe('How the image is built.');
    expect(build?.properties?.['buildTimeout']).toMatchObject({
      type: 'integer',
      description: 'Seconds a build may take.',
    });
    expect(build?.properties?.['affinity']?.properties?.['nodeAffinity']?.description).toContain('Nodes');
    expect(build?.properties?.['resources']?.properties?.['limits']?.description).toBe('The most a step may use.');
  });

  it('01#4 leaves a cache in a registry without a volume', async () => {
    const cache = { registry: { tag: 'some/cache' } };
    expect((await create('Image', 'registry-cache', { ...image, cache })).spec['cache']).toEqual(cache);
  });

  it('01#61 defaults the references of a Builder', async () => {
    expect((await create('Builder', 'defaults', { tag: 'a/b', stack: { name: 's' } })).spec).toEqual({
      tag: 'a/b',
      stack: { kind: 'ClusterStack', name: 's' },
      store: { kind: 'ClusterStore' },
      lifecycle: { kind: 'ClusterLifecycle', name: 'default-lifecycle' },
    });
  });

  it('01#51 drops an unknown field when the client does not ask for strictness', async () => {
    const metadata = { name: 'unknown' };
    const sent = { apiVersion, kind: 'Image', metadata, spec: { ...image, foo: 1 } };
    const created = (await server.api.send('POST', collection('Image'), sent)) as Stored;
    expect(created.spec).not.toHaveProperty('foo');
  });

  it.each([
    ['01#16 a builder without kind', { ...image, builder: { name: 'cb' } }, 'spec.builder.kind: Required value'],
    ['01#5 a history limit of 0', { ...image, successBuildHistoryLimit: 0 }, 'spec.successBuildHistoryLimit'],
    ['a CPU that is none', { ...image, build: { resources: { limits: { cpu: 'x' } } } }, 'limits.cpu'],
  ])('refuses %s and names the field', async (_, spec, message) => {
    await expect(create('Image', 'refused', spec)).rejects.toThrow(message);
  });
});
