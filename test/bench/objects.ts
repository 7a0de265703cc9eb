/** The objects that are measured. */

import { type SampleObject, sampleObjects } from '../../infra/local/sample/objects.ts';
import type { Image } from '../../lib/api/image.ts';
import type { KubeClient } from '../../lib/kube/client.ts';
import type { KubeObject } from '../../lib/kube/object.ts';
import { conditionOf } from '../../lib/reconcile/conditions.ts';
import { until } from './wait.ts';
import type { World } from './world.ts';

/** Namespace of everything. */
export const namespace = 'sample';

/** Image `name`. Its source is an image in the registry, which its resolver takes as it is: git hosts are measured elsewhere. */
export const imageNamed = ({ registry }: World, name: string): KubeObject & Pick<Image, 'spec'> =>
  ({
    apiVersion: 'kpack.io/v1alpha2',
    kind: 'Image',
    metadata: { name, namespace },
    spec: {
      tag: `${registry.host}/apps/${name}`,
      serviceAccountName: 'builder',
      builder: { kind: 'ClusterBuilder', name: 'sample' },
      source: { registry: { image: `${registry.host}/sample/source:1` } },
      cache: {}, // as kpack was measured: no webhook gave its Images a cache
    },
  }) as KubeObject & Pick<Image, 'spec'>;

/** Waits until an object is Ready for its present spec. */
export const untilReady = (kube: KubeClient, kind: string, name: string): Promise<KubeObject> =>
  until(
    `${kind} ${name} becoming ready`,
    async () => {
      const object = await kube.get<KubeObject & { readonly status?: { readonly observedGeneration?: number } }>({
        kind,
        namespace: '',
        name,
      });
      const isCurrent = object?.status?.observedGeneration === object?.metadata?.generation;
      return isCurrent && conditionOf(object ?? {}, 'Ready')?.status === 'True' ? object : undefined;
    },
    { seconds: 60, everyMs: 50 },
  );

/** Applies store, stack, lifecycle and builder, without an Image, and waits until the builder is there. */
export const applyBuilder = async ({ kube, registry, images }: World): Promise<void> => {
  const source = { registry: { image: `${registry.host}/sample/source:1` } };
  const objects: readonly SampleObject[] = sampleObjects({
    registry: registry.host,
    images,
    source,
    cacheSize: undefined,
  });
  for (const object of objects.filter(({ kind }) => kind !== 'Image')) await kube.apply(object);
  await untilReady(kube, 'ClusterBuilder', 'sample');
};
