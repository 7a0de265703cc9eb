/** The objects that stories are made of. */

import { SAMPLE_BUILDPACK_ID } from '../../infra/local/images/buildpackage.ts';
import { SAMPLE_EXTENSION_ID } from '../../infra/local/images/extension.ts';
import type { SampleImages } from '../../infra/local/images/sample-set.ts';
import { SAMPLE_STACK_ID } from '../../infra/local/images/stack.ts';
import type { ImageSpec } from '../../lib/api/image.ts';
import type { SourceConfig } from '../../lib/api/source-config.ts';
import type { KubeObject } from '../../lib/kube/object.ts';
import type { Suite } from './suite.ts';
import { waitFor } from './wait.ts';

const kpack = { apiVersion: 'kpack.io/v1alpha2' } as const;

/** A Secret of a story, its values in clear. */
export interface StorySecret {
  readonly name: string;
  readonly type: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, string>>;
}

/** Creates a Secret, or changes it into this one. */
export const makeSecret = async (
  { kube }: Suite,
  namespace: string,
  { name, type, annotations, values }: StorySecret,
): Promise<void> => {
  await kube.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, ...(annotations === undefined ? {} : { annotations }) },
    type,
    stringData: values,
  } as KubeObject);
};

/** Makes a namespace with ServiceAccount `builder`, which holds the Secrets. `labels` are the namespace's. */
export const makeNamespace = async (
  suite: Suite,
  namespace: string,
  secrets: readonly StorySecret[] = [],
  labels: Readonly<Record<string, string>> = {},
): Promise<void> => {
  const { kube } = suite;
  await kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } });
  for (const secret of secrets) await makeSecret(suite, namespace, secret);
  await kube.apply({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'builder', namespace },
    secrets: secrets.map(({ name }) => ({ name })),
    imagePullSecrets: secrets.map(({ name }) => ({ name })),
  } as KubeObject);
};

/** Makes store, stack and builder, all of that name, of the given images. The builder is pushed as namespace `kpack`'s `builder`. */
export const makePlatform = async (
  { kube, registry }: Suite,
  name: string,
  images: Omit<SampleImages, 'lifecycle'> & { readonly extension?: string },
): Promise<void> => {
  const extension = images.extension === undefined ? [] : [{ image: images.extension }];
  for (const object of [
    {
      ...kpack,
      kind: 'ClusterStore',
      metadata: { name },
      spec: { sources: [{ image: images.buildpack }, ...extension] },
    },
    {
      ...kpack,
      kind: 'ClusterStack',
      metadata: { name },
      spec: { id: SAMPLE_STACK_ID, buildImage: { image: images.build }, runImage: { image: images.run } },
    },
    {
      ...kpack,
      kind: 'ClusterBuilder',
      metadata: { name },
      spec: {
        tag: `${registry}/builders/${name}`,
        serviceAccountRef: { namespace: 'kpack', name: 'builder' },
        stack: { kind: 'ClusterStack', name },
        store: { kind: 'ClusterStore', name },
        lifecycle: { kind: 'ClusterLifecycle', name: 'default-lifecycle' },
        order: [{ group: [{ id: SAMPLE_BUILDPACK_ID }] }],
        ...(extension.length > 0 && { orderExtensions: [{ group: [{ id: SAMPLE_EXTENSION_ID }] }] }),
      },
    },
  ])
    await kube.apply(object);
};

/** Makes the lifecycle that all platforms use. */
export const makeLifecycle = async ({ kube, images }: Suite): Promise<void> => {
  await kube.apply({
    ...kpack,
    kind: 'ClusterLifecycle',
    metadata: { name: 'default-lifecycle' },
    spec: { image: images.lifecycle },
  } as KubeObject);
};

/** The platform that no story changes. */
export const steadyPlatform = 'steady';
/** The platform of the stories about new buildpacks and stacks. */
export const movingPlatform = 'moving';

/** For Images whose stories go on for long: among thirty pods at once, which ask for no share of the processor, theirs go first. */
export const goesFirst = { resources: { requests: { cpu: '100m' } } } as const;

/** An Image as a story wants it; what is left out is the usual. */
export interface WantedImage extends Partial<Omit<ImageSpec, 'source'>> {
  readonly namespace: string;
  readonly name: string;
  readonly source: SourceConfig;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Creates an Image in v1alpha1, which may bind as v1alpha2 lets nobody any more. */
export const makeOlderImage = async (
  { transport, registry }: Suite,
  { namespace, name, ...spec }: Pick<WantedImage, 'namespace' | 'name' | 'source'> & { readonly build?: object },
): Promise<void> => {
  const image = {
    apiVersion: 'kpack.io/v1alpha1',
    kind: 'Image',
    metadata: { namespace, name },
    spec: {
      tag: `${registry}/apps/${namespace}-${name}`,
      serviceAccount: 'builder',
      builder: { kind: 'ClusterBuilder', name: steadyPlatform },
      ...spec,
    },
  };
  const path = `/apis/kpack.io/v1alpha1/namespaces/${namespace}/images`;
  // The process makes itself known to the API server a moment after it has started.
  await waitFor(
    () => transport.send({ method: 'POST', path, body: JSON.stringify(image), contentType: 'application/json' }),
    { what: 'v1alpha1 to be converted', seconds: 60 },
  );
};

/** Creates the Image. */
export const makeImage = async (
  { kube, registry }: Suite,
  { namespace, name, annotations = {}, ...spec }: WantedImage,
): Promise<void> => {
  await kube.create({
    ...kpack,
    kind: 'Image',
    metadata: { namespace, name, annotations },
    spec: {
      tag: `${registry}/apps/${namespace}-${name}`,
      serviceAccountName: 'builder',
      builder: { kind: 'ClusterBuilder', name: steadyPlatform },
      cache: {},
      ...spec,
    },
  } as KubeObject);
};
