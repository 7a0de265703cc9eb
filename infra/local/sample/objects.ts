/** The sample: everything an Image needs, in a namespace of its own. */
import { buildStepsAnnotation } from '../../../lib/api/labels.ts';
import type { SourceConfig } from '../../../lib/api/source-config.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { SAMPLE_BUILDPACK_ID } from '../images/buildpackage.ts';
import type { SampleImages } from '../images/sample-set.ts';
import { SAMPLE_STACK_ID } from '../images/stack.ts';

/** Where the sample lives. */
export const sampleNamespace = 'sample';
/** Name of all its objects. */
export const sampleName = 'sample';

/** What the sample is made from. */
export interface SampleOptions {
  /** Registry the builder and the app go to. */
  readonly registry: string;
  readonly images: SampleImages;
  readonly source: SourceConfig;
  readonly cacheSize: string | undefined;
}

const cluster = { apiVersion: 'kpack.io/v1alpha2' } as const;

/** An object to apply. */
export type SampleObject = KubeObject & { readonly spec?: unknown };

/** The objects in an order in which each finds what it names; any order works. */
export const sampleObjects = ({ registry, images, source, cacheSize }: SampleOptions): readonly SampleObject[] => [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: sampleNamespace } },
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'builder', namespace: sampleNamespace } },
  {
    ...cluster,
    kind: 'ClusterStore',
    metadata: { name: sampleName },
    spec: { sources: [{ image: images.buildpack }] },
  },
  {
    ...cluster,
    kind: 'ClusterStack',
    metadata: { name: sampleName },
    spec: { id: SAMPLE_STACK_ID, buildImage: { image: images.build }, runImage: { image: images.run } },
  },
  { ...cluster, kind: 'ClusterLifecycle', metadata: { name: 'default-lifecycle' }, spec: { image: images.lifecycle } },
  {
    ...cluster,
    kind: 'ClusterBuilder',
    metadata: { name: sampleName },
    spec: {
      tag: `${registry}/builders/${sampleName}`,
      serviceAccountRef: { namespace: sampleNamespace, name: 'builder' },
      stack: { kind: 'ClusterStack', name: sampleName },
      store: { kind: 'ClusterStore', name: sampleName },
      lifecycle: { kind: 'ClusterLifecycle', name: 'default-lifecycle' },
      order: [{ group: [{ id: SAMPLE_BUILDPACK_ID }] }],
    },
  },
  sampleImage({ registry, source, cacheSize }),
];

/** An Image whose steps are all started at once: who tries kpackless waits for its first answer. */
export const builtAtOnce = <T extends SampleObject>(object: T): T =>
  object.kind === 'Image'
    ? { ...object, metadata: { ...object.metadata, annotations: { [buildStepsAnnotation]: 'parallel' } } }
    : object;

/** The Image alone. */
export const sampleImage = ({ registry, source, cacheSize }: Omit<SampleOptions, 'images'>, name = sampleName) => ({
  ...cluster,
  kind: 'Image' as const,
  metadata: { name, namespace: sampleNamespace },
  spec: {
    tag: `${registry}/apps/${name}`,
    serviceAccountName: 'builder',
    builder: { kind: 'ClusterBuilder', name: sampleName },
    source,
    cache: cacheSize === undefined ? {} : { volume: { size: cacheSize } },
  },
});
