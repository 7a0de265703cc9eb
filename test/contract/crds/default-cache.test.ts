/** The default cache as a policy of the API server writes it, where it serves such policies (docs/decisions/0016-default-cache.md). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultCachePolicy } from '../../../infra/default-cache.ts';
import { waitUntil } from '../../../infra/local/cluster/wait.ts';
import { defaultStorageClassAnnotation } from '../../../lib/api/labels.ts';
import { type KubeClient, kubeClient } from '../../../lib/kube/client.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { type KubeTransport, kubeTransport } from '../../../lib/kube/transport.ts';
import { apiServerIsHere } from '../../support/api-server.ts';
import { isJson, type Json } from '../../support/golden-objects.ts';
import {
  type Answer,
  collectionOf,
  goodImage,
  type KpackCluster,
  startKpackCluster,
} from '../../support/kpack-cluster.ts';

/** As Argo CD and Flux call themselves. */
const managers = ['argocd-controller', 'kustomize-controller'] as const;

const storageClass = (name: string, isDefault?: string): KubeObject & Readonly<Record<string, unknown>> => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name, ...(isDefault !== undefined && { annotations: { [defaultStorageClassAnnotation]: isDefault } }) },
  provisioner: 'example.com/none',
});

const specOf = ({ body, message }: Answer): Json => {
  expect(message).toBe('');
  return isJson(body['spec']) ? body['spec'] : {};
};
const metadataOf = ({ body }: Answer): Json => (isJson(body['metadata']) ? body['metadata'] : {});
const cacheOf = (answer: Answer): unknown => specOf(answer)['cache'];

const standard = { volume: { size: '2G' } };

describe.runIf(apiServerIsHere)('an API server with mutating policies', () => {
  let cluster: KpackCluster;
  let transport: KubeTransport;
  let kube: KubeClient;
  const collection = collectionOf('Image');
  let number = 0;
  const aName = (): string => `image-${++number}`;
  const make = (spec: Json = {}): Promise<Answer> => cluster.write('POST', collection, goodImage(aName(), spec));
  const makeOlder = (spec: Json = {}): Promise<Answer> =>
    cluster.write('POST', collectionOf('Image', 'v1alpha1'), {
      ...goodImage(aName(), spec),
      apiVersion: 'kpack.io/v1alpha1',
    });

  beforeAll(async () => {
    cluster = await startKpackCluster({ emulatedVersion: '1.34', mutatingPolicies: 'v1beta1' });
    transport = kubeTransport(cluster.server.config);
    kube = kubeClient(transport);
    for (const object of await defaultCachePolicy(kube)) await kube.apply(object);
    await kube.create(storageClass('plain'));
    await kube.create(storageClass('not', 'false'));
  });

  afterAll(async () => {
    transport?.close();
    await cluster?.stop();
  });

  it('01#1 leaves an Image without a cache where no class is the default', async () => {
    expect(specOf(await make())).not.toHaveProperty('cache');
  });

  describe('where a class is the default', () => {
    beforeAll(async () => {
      await kube.create(storageClass('standard', 'true'));
      // The policy takes effect, and sees a class, a moment after it was made.
      await waitUntil(async () => cacheOf(await make()) !== undefined, {
        what: 'the policy to be obeyed',
        timeout: 20_000,
      });
    });

    it('01#2 writes 2G into an Image that says nothing of a cache', async () => {
      expect(cacheOf(await make())).toEqual(standard);
    });

    it('01#3 01#4 leaves the cache that an Image names, and the one that it does not want', async () => {
      expect(cacheOf(await make({ cache: {} }))).toEqual({});
      const cache = { registry: { tag: 'some/cache' } };
      expect(cacheOf(await make({ cache }))).toEqual(cache);
    });

    it('01#80 writes it into an Image in v1alpha1 as well', async () => {
      expect(specOf(await makeOlder())['cacheSize']).toBe('2G');
      expect(specOf(await makeOlder({ cacheSize: '3G' }))['cacheSize']).toBe('3G');
    });

    it('01#81 gives an Image with a cache in a registry no size in v1alpha1', async () => {
      const made = await make({ cache: { registry: { tag: 'some/cache' } } });
      const path = `${collectionOf('Image', 'v1alpha1')}/${String(metadataOf(made)['name'])}`;
      expect(specOf(await cluster.write('GET', path, {}))).not.toHaveProperty('cacheSize');
    });

    it('is the same where two classes say so', async () => {
      await kube.create(storageClass('second', 'true'));
      expect(cacheOf(await make())).toEqual(standard);
    });

    it.each(managers)('causes no drift: %s applies twice, and nothing is written the second time', async (manager) => {
      const manifest = goodImage(aName());
      const path = `${collection}/${String((manifest['metadata'] as Json)['name'])}?fieldManager=${manager}&force=true`;
      const apply = (more = '', sent: Json = manifest): Promise<Answer> =>
        cluster.write('PATCH', `${path}${more}`, sent, { contentType: 'application/apply-patch+yaml' });
      const first = await apply();
      expect(cacheOf(first)).toEqual(standard);
      // Nobody owns it, so whoever names a size later is in nobody's way.
      expect(JSON.stringify(metadataOf(first)['managedFields'])).not.toContain('f:cache');
      const [tried, second] = [await apply('&dryRun=All'), await apply()];
      expect(specOf(tried)).toEqual(specOf(first));
      expect(metadataOf(second)['resourceVersion']).toBe(metadataOf(first)['resourceVersion']);
      const larger = { ...manifest, spec: { ...(manifest['spec'] as Json), cache: { volume: { size: '5G' } } } };
      const path2 = path.replace('&force=true', '');
      const grown = await cluster.write('PATCH', path2, larger, { contentType: 'application/apply-patch+yaml' });
      expect(cacheOf(grown)).toEqual({ volume: { size: '5G' } });
    });

    it('01#49 writes nothing into an Image that is there: a cache taken out stays out, a label brings none', async () => {
      const made = await make({ cache: { volume: { size: '5G' } } });
      const { cache: _, ...without } = specOf(made);
      const path = `${collection}/${String(metadataOf(made)['name'])}`;
      const replaced = await cluster.write('PUT', path, { ...made.body, spec: without });
      expect(specOf(replaced)).not.toHaveProperty('cache');
      const metadata = { ...metadataOf(replaced), labels: { team: 'a' } };
      expect(specOf(await cluster.write('PUT', path, { ...replaced.body, metadata }))).not.toHaveProperty('cache');
    });

    it('leaves the verdict on a wrong Image to the rules', async () => {
      expect(await make({ cache: 'x' })).toMatchObject({ status: 422, causes: [{ field: 'spec.cache' }, {}] });
      const { spec: _, ...empty } = goodImage(aName());
      expect(await cluster.write('POST', collection, empty)).toMatchObject({ status: 422 });
    });
  });
});

describe.runIf(apiServerIsHere)('an API server without mutating policies', () => {
  it('gets none: the reconciler decides there', async () => {
    const cluster = await startKpackCluster();
    const transport = kubeTransport(cluster.server.config);
    try {
      expect(await defaultCachePolicy(kubeClient(transport))).toEqual([]);
      expect(specOf(await cluster.write('POST', collectionOf('Image'), goodImage('plain')))).not.toHaveProperty(
        'cache',
      );
    } finally {
      transport.close();
      await cluster.stop();
    }
  });
});
