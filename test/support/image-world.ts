/** One Image, its builder and what the other reconcilers would do, over the fake API; passes of the Image reconciler. */
import type { Build, BuildStatus } from '../../lib/api/build.ts';
import type { BuilderStatus } from '../../lib/api/builder.ts';
import type { Condition } from '../../lib/api/condition.ts';
import type { Image, ImageSpec, ImageStatus } from '../../lib/api/image.ts';
import { buildName, sourceResolverName } from '../../lib/api/names.ts';
import type { ObjectMeta } from '../../lib/api/object-meta.ts';
import type { ResolvedSourceConfig } from '../../lib/api/source-config.ts';
import type { SourceResolver } from '../../lib/api/source-resolver.ts';
import { imageReconciler } from '../../lib/images/reconcile.ts';
import { controllerReference } from '../../lib/kube/object.ts';
import { conditionOf } from '../../lib/reconcile/conditions.ts';
import { FakeKube } from './fake-kube.ts';
import { fakePass, type PassEnd } from './fake-pass.ts';

const apiVersion = 'kpack.io/v1alpha2';
export const namespace = 'some-namespace';
export const digest = (character: string): string => `sha256:${character.repeat(64)}`;
export const revision = (character: string): string => character.repeat(40);

/** A git source that was resolved. */
export const gitSource: ResolvedSourceConfig = {
  git: { url: 'https://git.example/app', revision: revision('a'), type: 'Branch' },
};

/** A builder's status in good order. */
export const builderStatus: BuilderStatus = {
  observedGeneration: 1,
  conditions: [
    { type: 'Ready', status: 'True' },
    { type: 'UpToDate', status: 'True' },
  ],
  latestImage: `registry.example/builder@${digest('1')}`,
  builderMetadata: [{ id: 'bp/node', version: '1.0' }],
  stack: { id: 'stack', runImage: `registry.example/run@${digest('2')}` },
  lifecycle: { version: '0.21.0' },
};

/** How a Build ended well: with what that builder offered. */
export const goodStatus: BuildStatus = {
  conditions: [{ type: 'Succeeded', status: 'True', reason: 'Completed' }],
  latestImage: `registry.example/app@${digest('a')}`,
  buildMetadata: [{ id: 'bp/node', version: '1.0' }],
  stack: { id: 'stack', runImage: `registry.example/elsewhere@${digest('2')}` },
  lifecycleVersion: '0.21.0',
};

/** How a Build ended badly. */
export const badStatus: BuildStatus = {
  conditions: [{ type: 'Succeeded', status: 'False', reason: 'Failed', message: 'something went wrong' }],
};

/** What a test says of the world; the rest is as plain as can be. */
export interface ImageWorldOptions {
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: Partial<ImageSpec>;
  readonly status?: ImageStatus;
  /** Undefined members are taken away from the usual status; null: there is no builder. */
  readonly builder?: Partial<BuilderStatus> | null;
  readonly priorityClasses?: boolean;
}

/** The world. Nothing has been reconciled yet. */
export const imageWorld = ({
  metadata,
  spec,
  status,
  builder = {},
  priorityClasses = false,
}: ImageWorldOptions = {}) => {
  const kube = new FakeKube();
  const name = metadata?.name ?? 'image-name';
  const resolverName = sourceResolverName(name);
  const reconciler = imageReconciler({ priorityClasses });
  if (builder !== null)
    kube.put({
      apiVersion,
      kind: 'Builder',
      metadata: { name: 'builder-name', namespace },
      spec: { tag: 'registry.example/builder', order: [] },
      status: { ...builderStatus, ...builder },
    });
  kube.put({
    apiVersion,
    kind: 'Image',
    metadata: { namespace, ...metadata, name },
    spec: {
      tag: 'registry.example/app',
      builder: { kind: 'Builder', name: 'builder-name' },
      serviceAccountName: 'account',
      source: { git: { url: 'https://git.example/app', revision: 'main' } },
      ...spec,
    },
    status,
  });

  const pass = (): Promise<PassEnd> => {
    // A second later each time: creation times and condition times tell passes apart.
    kube.now = new Date(kube.now.getTime() + 1000);
    return fakePass(reconciler, kube, { kind: 'Image', namespace, name });
  };
  const image = (): Image => {
    const found = kube.find('Image', name, namespace);
    if (found === undefined) throw new Error('the Image is gone');
    return found;
  };
  const resolver = (): SourceResolver | undefined => kube.find('SourceResolver', resolverName, namespace);
  const build = (number: number): Build | undefined => kube.find('Build', buildName(name, number), namespace);
  /** The resolver finds that source. */
  const resolve = (source: ResolvedSourceConfig = gitSource): void => {
    const conditions: readonly Condition[] = [{ type: 'Ready', status: 'True' }];
    kube.edit(
      'SourceResolver',
      resolverName,
      (now) => ({ ...now, status: { observedGeneration: now.metadata.generation, conditions, source } }),
      namespace,
    );
  };
  const finish = (number: number, status: BuildStatus): void => {
    kube.edit('Build', buildName(name, number), (now) => ({ ...now, status }), namespace);
  };
  return {
    kube,
    pass,
    image,
    resolver,
    build,
    resolve,
    finish,
    /** Names of all Builds. */
    builds: (): readonly string[] => kube.all('Build').map((one) => one.metadata.name),
    ready: (): Condition | undefined => conditionOf(image(), 'Ready'),
    condition: (type: string): Condition | undefined => conditionOf(image(), type),
    /** The user changes the spec. */
    want: (change: Partial<ImageSpec>): void => {
      kube.edit('Image', name, (now) => ({ ...now, spec: { ...now.spec, ...change } }), namespace);
    },
    /** The builder's reconciler writes a status. */
    offer: (change: Partial<BuilderStatus>): void => {
      kube.edit(
        'Builder',
        'builder-name',
        (now) => ({ ...now, status: { ...(now.status as BuilderStatus), ...change } }),
        namespace,
      );
    },
    /** Somebody annotates a Build. */
    annotate: (number: number, annotations: Readonly<Record<string, string>>): void => {
      kube.edit(
        'Build',
        buildName(name, number),
        (now) => ({
          ...now,
          metadata: { ...now.metadata, annotations: { ...now.metadata.annotations, ...annotations } },
        }),
        namespace,
      );
    },
    /** A Build of this Image that was there before, which makes the Image an old one. */
    past: (number: number, status: BuildStatus, more: Partial<Build['metadata']> = {}): void => {
      kube.put({ ...image(), metadata: { ...image().metadata, creationTimestamp: '2025-12-01T00:00:00Z' } });
      const labels = {
        'image.kpack.io/buildNumber': String(number),
        'image.kpack.io/image': name,
        'image.kpack.io/imageGeneration': '1',
      };
      kube.now = new Date(kube.now.getTime() + 1000);
      kube.put({
        apiVersion,
        kind: 'Build',
        metadata: {
          name: buildName(name, number),
          namespace,
          labels,
          ownerReferences: [controllerReference(image())],
          annotations: { 'image.kpack.io/reason': 'CONFIG' },
          ...more,
        },
        spec: {
          tags: ['registry.example/app'],
          builder: { image: builderStatus.latestImage },
          runImage: { image: builderStatus.stack?.runImage },
          serviceAccountName: 'account',
          source: { git: { url: 'https://git.example/app', revision: revision('a') } },
          cache: {},
          resources: {},
        },
        status,
      });
    },
    /** Passes until the source is resolved and the first Build is made and has ended so; one more pass then tells of it. */
    firstBuild: async (status: BuildStatus = goodStatus, source: ResolvedSourceConfig = gitSource): Promise<void> => {
      await pass();
      resolve(source);
      await pass();
      finish(1, status);
      await pass();
    },
  };
};
