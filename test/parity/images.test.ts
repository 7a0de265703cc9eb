/**
 * What kpack made of recorded Images (SourceResolver, claim, Builds, status), field by field against ours. Statuses of resolvers,
 * builders and Builds are given as recorded, since other reconcilers write them. `differences` lists what we do otherwise on purpose.
 */
import { describe, expect, it } from 'vitest';
import type { Build } from '../../lib/api/build.ts';
import type { Builder } from '../../lib/api/builder.ts';
import type { ClusterBuilder } from '../../lib/api/cluster-builder.ts';
import type { Image } from '../../lib/api/image.ts';
import type { SourceResolver } from '../../lib/api/source-resolver.ts';
import { imageReconciler } from '../../lib/images/reconcile.ts';
import type { KubeObject } from '../../lib/kube/object.ts';
import { FakeKube } from '../support/fake-kube.ts';
import { fakePass } from '../support/fake-pass.ts';
import { type Difference, fieldDifferences } from '../support/field-differences.ts';
import { golden, goldenFiles } from '../support/golden.ts';

type AnyBuilder = Builder | ClusterBuilder;
interface Recording {
  readonly input: Image;
  readonly image: Image;
  readonly sourceResolver: SourceResolver | null;
  readonly builds: readonly Build[];
  readonly persistentVolumeClaims: readonly KubeObject[];
}
interface FlowRecording {
  readonly images: readonly [Image];
  readonly sourceResolvers: readonly [SourceResolver];
  readonly builds: readonly Build[];
  readonly clusterBuilders: readonly ClusterBuilder[];
}

/** Members that no recording carries, and what the API server and the provisioner put on claims. */
const serverSide = new Set([
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'lastTransitionTime',
  'finalizers',
  'volumeMode',
  'volumeName',
]);

const builderKind = 'image.kpack.io/builderKind';

/** Deliberate differences; none is looked for elsewhere. */
const differences: readonly {
  readonly why: string;
  readonly holds: (file: string, difference: Difference) => boolean;
}[] = [
  {
    why: 'the kind is empty in the recordings, as Go decoders drop it after a watch event; we say which it is (spec 02 §2.2)',
    holds: (_file, { path, theirs, ours }) =>
      path.endsWith(builderKind) && theirs === '' && (ours === 'Builder' || ours === 'ClusterBuilder'),
  },
  {
    why: 'blob.stripComponents is carried into the Build (DESIGN §4)',
    holds: (file, { path, theirs, ours }) =>
      file === 'default/blob-strip.json' &&
      ((path.endsWith('spec.source.blob.stripComponents') && theirs === undefined && ours === 1) ||
        (path.endsWith('buildChanges') && String(ours).replace(',"stripComponents":1', '') === theirs)),
  },
  {
    why: 'kpack lost the status of the pass that made the Build, and says so only when that has ended (spec 02 §10.2 Q7)',
    holds: (file, { path, theirs }) =>
      file.endsWith('/blob-auth-secret.json') &&
      /^status\.(latestBuildRef|latestBuildReason|latestBuildImageGeneration|buildCounter)$/.test(path) &&
      theirs === undefined,
  },
  {
    why: 'the moment of a trigger is that of the pass; ours is in UTC',
    holds: (file, { path, theirs, ours }) => {
      const timeless = (text: unknown): string => String(text).replace(/[A-Z][a-z]{2}, [^"]+/, '');
      return file === 'flow/4-triggered.json' && path.endsWith('buildChanges') && timeless(theirs) === timeless(ours);
    },
  },
];

/** Differences that nobody meant. */
const unmeant = (file: string, theirs: unknown, ours: unknown): readonly Difference[] =>
  fieldDifferences(theirs, ours, serverSide).filter(
    (difference) => !differences.some(({ holds }) => holds(file, difference)),
  );

/** The moment a Build was made, from its numbered tag; any moment for one without. */
const madeAt = (build: Build | undefined): Date => {
  const [, y, mo, d, h, mi, s] =
    /b\d+\.(\d{4})(\d\d)(\d\d)\.(\d\d)(\d\d)(\d\d)$/.exec(build?.spec.tags?.[1] ?? '') ?? [];
  return y === undefined ? new Date(0) : new Date(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
};

const withoutStatus = (object: object | undefined): object | undefined => object && { ...object, status: undefined };

/** One Image in a fake cluster, and what others write about it. */
const world = ({ metadata: { name, namespace = '' } }: Image, priorityClasses: boolean) => {
  const kube = new FakeKube();
  const reconciler = imageReconciler({ priorityClasses });
  const resolverName = `${name}-source`;
  return {
    kube,
    pass: (now: Date) => fakePass(reconciler, kube, { kind: 'Image', namespace, name }, now),
    /** Status of the resolver, if there is to be one. */
    resolved: (resolver: SourceResolver | null) =>
      resolver === null
        ? undefined
        : kube.edit('SourceResolver', resolverName, (now) => ({ ...now, status: resolver.status }), namespace),
    /** Status of a Build, if it was made. */
    ended: ({ metadata, status }: Build) =>
      kube.find('Build', metadata.name, namespace) &&
      kube.edit('Build', metadata.name, (now) => ({ ...now, status }), namespace),
    /** What there is now, Builds without their status. */
    made: () => ({
      status: kube.find('Image', name, namespace)?.status,
      sourceResolver: withoutStatus(kube.find('SourceResolver', resolverName, namespace)),
      builds: kube.all('Build').map(withoutStatus),
    }),
  };
};

/** The builders as kpack left them. */
const observedBuilders = (folder: string): readonly AnyBuilder[] => {
  const { observed } = golden(`${folder}/_world.json`) as { readonly observed: Readonly<Record<string, AnyBuilder>> };
  return Object.values(observed).filter(({ kind }) => kind === 'ClusterBuilder' || kind === 'Builder');
};

/** The world was observed in another namespace than the Images, where its Builders have other images: the Build says which. */
const asUsed = (builder: AnyBuilder, { input, builds: [made] }: Recording): AnyBuilder => {
  const { metadata, status } = builder;
  if (builder.kind !== 'Builder') return builder;
  const images =
    made === undefined || status?.latestImage === undefined
      ? {}
      : { latestImage: made.spec.builder.image, stack: { ...status.stack, runImage: made.spec.runImage?.image } };
  return {
    ...builder,
    metadata: { ...metadata, namespace: input.metadata.namespace },
    status: { ...status, ...images },
  };
};

/** A claim as comparable: where the Image names no class, the API server filled in the cluster's default one. */
const comparableClaim =
  ({ spec: { cache } }: Image) =>
  ({ metadata, ...rest }: KubeObject): object => {
    const { generation: _generation, annotations: _annotations, ...meta } = metadata ?? {};
    const { spec } = rest as { readonly spec?: object };
    const named = cache?.volume?.storageClassName !== undefined;
    return {
      ...rest,
      status: undefined,
      metadata: meta,
      spec: { ...spec, ...(named ? {} : { storageClassName: '' }) },
    };
  };

const folders = ['default', 'sidecar', 'slsa', 'priority', 'platform07', 'platform012'] as const;

describe('an Image becomes what kpack made of it:', () => {
  for (const folder of folders)
    it.each(goldenFiles(folder))(`${folder}/%s`, async (name) => {
      const recorded = golden(`${folder}/${name}`) as Recording;
      const { kube, pass, resolved, ended, made } = world(recorded.input, folder === 'priority');
      for (const builder of observedBuilders(folder)) kube.put(asUsed(builder, recorded));
      kube.put(recorded.input);
      const now = madeAt(recorded.builds[0]);

      await pass(now);
      resolved(recorded.sourceResolver);
      await pass(now);
      recorded.builds.forEach(ended);
      await pass(now);

      const claims = kube.all('PersistentVolumeClaim').map(comparableClaim(recorded.input));
      const theirs = {
        status: recorded.image.status,
        sourceResolver: withoutStatus(recorded.sourceResolver ?? undefined),
        builds: recorded.builds.map(withoutStatus),
        claims: recorded.persistentVolumeClaims.map(comparableClaim(recorded.input)),
      };
      expect(unmeant(`${folder}/${name}`, theirs, { ...made(), claims })).toStrictEqual([]);
      const quiet = await pass(now);
      expect(quiet).toMatchObject({ writes: [] });
      expect(quiet.reads).toBeLessThanOrEqual(5);
    });
});

/** Eight steps in the life of one Image, each from where the one before left it. */
describe('one Image goes through what kpack recorded of it:', () => {
  const steps = goldenFiles('flow').map((name) => [name, golden(`flow/${name}`) as FlowRecording] as const);
  const eighth = steps[7]?.[1];
  const image = steps[0]?.[1].images[0] ?? ({ metadata: { name: 'flow' } } as Image);
  const namespace = image.metadata.namespace ?? '';
  const { kube, pass, resolved, ended, made } = world(image, false);

  /** What the user and the builder's reconciler did in this step. */
  const prepare = ({ images: [wanted], builds, clusterBuilders }: FlowRecording): void => {
    for (const builder of clusterBuilders) kube.put(builder);
    if (kube.find('Image', image.metadata.name, namespace) === undefined) kube.put({ ...wanted, status: undefined });
    kube.edit('Image', image.metadata.name, (now) => ({ ...now, spec: wanted.spec }), namespace);
    for (const { metadata } of builds) {
      const annotations = { ...metadata.annotations, [builderKind]: 'ClusterBuilder' };
      if (kube.find('Build', metadata.name, namespace) === undefined) continue;
      kube.edit('Build', metadata.name, (now) => ({ ...now, metadata: { ...now.metadata, annotations } }), namespace);
    }
  };

  it.each(steps.slice(0, 7))('%s', async (name, recorded) => {
    prepare(recorded);
    const now = madeAt(recorded.builds.at(-1));
    await pass(now);
    resolved(recorded.sourceResolvers[0]);
    await pass(now);
    recorded.builds.forEach(ended);
    await pass(now);
    const theirs = {
      status: recorded.images[0].status,
      sourceResolver: withoutStatus(recorded.sourceResolvers[0]),
      builds: recorded.builds.map(withoutStatus),
    };
    expect(unmeant(`flow/${name}`, theirs, made())).toStrictEqual([]);
    expect((await pass(now)).writes).toStrictEqual([]);
  });

  it('8, where kpack does nothing: the failed Build is repeated with the builder that replaced its own (DESIGN §4)', async () => {
    expect(eighth?.builds).toHaveLength(7);
    if (eighth !== undefined) prepare(eighth);
    const { writes } = await pass(new Date('2026-11-21T10:00:00Z'));
    expect(writes).toStrictEqual(['create Build gold-flow/flow-build-8', 'replaceStatus Image gold-flow/flow']);
    const build = kube.find('Build', 'flow-build-8', namespace);
    expect(build?.metadata.annotations?.['image.kpack.io/reason']).toBe('CONFIG');
    expect(build?.metadata.annotations?.['image.kpack.io/buildChanges']).toContain(
      '"old":{"env":[{"name":"Z","value":"1"}],"resources":{},"source":{"registry":{"image":"10.88.255.2:5000/src/app:2"}}}',
    );
    expect(build?.spec.lastBuild).toStrictEqual(kube.find('Build', 'flow-build-7', namespace)?.spec.lastBuild);
  });
});
