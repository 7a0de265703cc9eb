/**
 * What kpack made of 56 resources, and five more builders that only its registry remembers: statuses field by field, builder images by digest.
 * `differences` lists every status that is not the same, with the reason.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reconcileBuilder, reconcileClusterBuilder } from '../../lib/builders/reconcile.ts';
import { reconcileBuildpack, reconcileClusterBuildpack } from '../../lib/buildpackages/reconcile.ts';
import { accountRegistries } from '../../lib/buildpacks/account-registry.ts';
import { configCache } from '../../lib/buildpacks/fetch-image.ts';
import type { KubeObject } from '../../lib/kube/object.ts';
import { collectionPath, objectPath } from '../../lib/kube/resources.ts';
import { reconcileClusterLifecycle } from '../../lib/lifecycles/reconcile.ts';
import { reconcileClusterStack } from '../../lib/stacks/reconcile.ts';
import { reconcileClusterStore } from '../../lib/stores/reconcile.ts';
import { type FakeCluster, fakeCluster } from '../support/fake-cluster.ts';
import { type FakeRegistry, startFakeRegistry } from '../support/fake-registry.ts';
import { golden, goldenFolder } from '../support/golden.ts';
import { loadImage, type OciLayout, readOciLayout } from '../support/oci-layout.ts';
import { runPass } from '../support/run-pass.ts';

interface Recording {
  readonly kind: string;
  readonly name: string;
  readonly spec: { readonly tag?: string } & Readonly<Record<string, unknown>>;
  readonly status: {
    readonly latestImage?: string;
    readonly conditions?: readonly { readonly reason?: string; readonly message?: string }[];
  } & Readonly<Record<string, unknown>>;
}

/** The registry of the recordings; requests for it go to the fake one. */
const recordedHost = '10.88.255.2:5000';

/** Message of the condition that differs, by `kind name`; the rest of the status is kpack's. */
const differences: Readonly<Record<string, { readonly message: string; readonly because: string }>> = {
  'Builder unreachable': {
    message: 'GET https://127.0.0.1:1/v2/: bad port; GET http://127.0.0.1:1/v2/: bad port',
    because:
      'fetch refuses port 1 before it connects; kpack says that the connection was refused, for both schemes as well',
  },
};

/** The stack's message names the image that it is about; kpack's does not. */
const named: Readonly<Record<string, string>> = {
  nouser: `${recordedHost}/g/build:nouser`,
  nostack: `${recordedHost}/g/build:nostack`,
  nan: `${recordedHost}/g/build:nan`,
};

/** Nothing is made of a stack whose user is root: kpack takes it, and each of its builds then waits for ever for a container that may not run. */
const refusedRoot: Readonly<Record<string, unknown>> = {
  'ClusterStack root': {
    buildImage: {},
    runImage: {},
    observedGeneration: 1,
    conditions: [
      {
        type: 'Ready',
        status: 'False',
        message: `validating build image: CNB_USER_ID is 0: no build runs as root; give the stack another user (${recordedHost}/g/build:root)`,
      },
    ],
  },
  'Builder root-stack': {
    stack: {},
    lifecycle: {
      image: {},
      api: {},
      apis: { buildpack: { deprecated: null, supported: null }, platform: { deprecated: null, supported: null } },
    },
    observedGeneration: 1,
    conditions: [
      {
        type: 'Ready',
        status: 'False',
        reason: 'NoLatestImage',
        message: "Builder has no latestImage: Error: clusterstack 'root' is not ready",
      },
      {
        type: 'UpToDate',
        status: 'False',
        reason: 'ReconcileFailed',
        message: "Error: clusterstack 'root' is not ready",
      },
    ],
  },
};

/** Objects that were there but are not in the recordings: the images prove what they were. */
const unrecorded: readonly Omit<Recording, 'status'>[] = [
  { kind: 'Buildpack', name: 'bp-meta', spec: { image: `${recordedHost}/g/meta:1` } },
  { kind: 'Buildpack', name: 'bp-nested', spec: { image: `${recordedHost}/g/nested:1` } },
];

const plain = { serviceAccountName: 'builder', stack: { kind: 'ClusterStack', name: 'plain' } };
const all = { store: { kind: 'ClusterStore', name: 'all' } };

/** Builders of which only the image is left. */
const registryOnly: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'by-buildpack-with-id': { ...plain, order: [{ group: [{ kind: 'Buildpack', name: 'bp-a', id: 'g/a' }] }] },
  'id-version-from-buildpacks': { ...plain, order: [{ group: [{ id: 'g/a', version: '1.0.0' }] }] },
  labels: {
    ...plain,
    ...all,
    order: [{ group: [{ id: 'g/a' }] }],
    additionalLabels: { team: 'x', 'io.buildpacks.lifecycle.version': 'override' },
  },
  nested: { ...plain, ...all, order: [{ group: [{ kind: 'Buildpack', name: 'bp-nested' }] }] },
  'same-twice': {
    ...plain,
    ...all,
    order: [
      {
        group: [
          { id: 'g/a', version: '1.0.0' },
          { id: 'g/a', version: '1.0.0' },
        ],
      },
    ],
  },
};

const recordings = golden('builders.json') as readonly Recording[];
const isBuilder = ({ kind }: Pick<Recording, 'kind'>): boolean => kind.endsWith('Builder');
const namespaceOf = (kind: string): string => (kind === 'Builder' || kind === 'Buildpack' ? 'gb' : '');

/** A status without the times of its conditions. */
const timeless = (status: unknown): unknown =>
  JSON.parse(JSON.stringify(status, (key, value: unknown) => (key === 'lastTransitionTime' ? undefined : value)));

/** kpack's status, with the messages of `differences` in place of its own. */
const expected = (kind: string, name: string, status: Recording['status']): unknown => {
  const refused = refusedRoot[`${kind} ${name}`];
  if (refused !== undefined) return refused;
  const image = kind === 'ClusterStack' ? named[name] : undefined;
  if (image !== undefined)
    return JSON.parse(JSON.stringify(status), (key, value: unknown) =>
      key === 'message' ? `${String(value)} (${image})` : value,
    ) as unknown;
  const difference = differences[`${kind} ${name}`];
  const failure = difference?.message ?? status.conditions?.find(({ reason }) => reason === 'ReconcileFailed')?.message;
  return JSON.parse(JSON.stringify(status), (_, value: Readonly<Record<string, unknown>>) => {
    if (value?.['reason'] === 'ReconcileFailed') return { ...value, message: failure };
    // Ready says why, too, which kpack leaves to UpToDate: `kp` and Images show nothing else.
    return value?.['reason'] === 'NoLatestImage'
      ? { ...value, message: `Builder has no latestImage: ${failure}` }
      : value;
  }) as unknown;
};

describe('builders and what they are made of', () => {
  let registry: FakeRegistry;
  let cluster: FakeCluster;
  let layout: OciLayout;
  const configs = configCache();

  const toFake: typeof fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.host !== recordedHost) return fetch(input, init);
    if (url.protocol === 'https:') throw new TypeError('fetch failed');
    return fetch(new URL(url.pathname + url.search, `http://${registry.host}`), init);
  };

  const reconcile = async (
    { kind, name }: Pick<Recording, 'kind' | 'name'>,
    creatorVersion = 'v0.0.0 (git sha: 000)',
  ): Promise<unknown> => {
    const registries = accountRegistries({ transport: { fetch: toFake } });
    const ports = { registryFor: registries, configs, pollSeconds: 600 };
    const builderPorts = { ...ports, creatorVersion };
    const key = { kind, namespace: namespaceOf(kind), name };
    const run = {
      Builder: () => runPass(reconcileBuilder(builderPorts), cluster.kube, key),
      ClusterBuilder: () => runPass(reconcileClusterBuilder(builderPorts), cluster.kube, key),
      Buildpack: () => runPass(reconcileBuildpack(ports), cluster.kube, key),
      ClusterBuildpack: () => runPass(reconcileClusterBuildpack(ports), cluster.kube, key),
      ClusterStore: () => runPass(reconcileClusterStore(ports), cluster.kube, key),
      ClusterStack: () => runPass(reconcileClusterStack(ports), cluster.kube, key),
      ClusterLifecycle: () => runPass(reconcileClusterLifecycle(ports), cluster.kube, key),
    }[kind];
    if (run === undefined) throw new Error(`no reconciler for ${kind}`);
    await run();
    return timeless(cluster.at(objectPath(kind, key.namespace, name)).status);
  };

  const put = ({ kind, name, spec }: Pick<Recording, 'kind' | 'name' | 'spec'>): void => {
    const namespace = namespaceOf(kind);
    const metadata = { name, ...(namespace && { namespace }) };
    const object: KubeObject & { readonly spec: unknown } = { apiVersion: 'kpack.io/v1alpha2', kind, metadata, spec };
    cluster.put(collectionPath(kind, namespace), object);
  };

  beforeAll(async () => {
    registry = await startFakeRegistry();
    cluster = fakeCluster();
    layout = await readOciLayout(join(goldenFolder, 'builders.oci.tar'));
    for (const name of layout.names.keys()) if (!name.startsWith('gold/')) loadImage(registry.store, layout, name);
    // The registry of the recordings says which tag it has not.
    for (const [repository, tag] of [
      ['nope', '1'],
      ['g/build', 'none'],
      ['gold/simple', 'latest'],
    ]) {
      registry.addFault({
        kind: 'status',
        method: 'GET',
        path: new RegExp(`/${repository}/manifests/${tag}$`),
        status: 404,
        times: 1000,
        body: JSON.stringify({
          errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown', detail: { Tag: tag } }],
        }),
      });
    }
    for (const namespace of ['gb', 'default']) {
      cluster.put(collectionPath('ServiceAccount', namespace), {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'builder', namespace },
      });
    }
    for (const recording of [...recordings, ...unrecorded]) put(recording);
    for (const [name, spec] of Object.entries(registryOnly)) {
      put({ kind: 'Builder', name, spec: { ...spec, tag: `${recordedHost}/gold/${name}` } });
    }
    for (const source of [...recordings, ...unrecorded].filter((one) => !isBuilder(one))) await reconcile(source);
  });

  afterAll(() => registry.close());

  it.each(recordings.map((recording) => [recording.kind, recording.name, recording] as const))(
    '%s %s has kpack’s status',
    async (kind, name, recording) => {
      expect(await reconcile(recording)).toEqual(expected(kind, name, recording.status));
    },
  );

  const isMade = ({ kind, name, status }: Recording): boolean =>
    status.latestImage !== undefined && !(`${kind} ${name}` in refusedRoot);
  it.each(recordings.filter(isMade).map((one) => [one.name, one] as const))(
    '04#76 builder %s is the image kpack pushed, byte for byte',
    async (name, recording) => {
      await reconcile(recording);
      const [reference = '', digest = ''] = (recording.status.latestImage ?? '')
        .slice(`${recordedHost}/`.length)
        .split('@');
      const [repository = '', tag = ''] = reference.split(':');
      const stored = registry.store.repository(repository);
      expect(stored.tags.get(tag)).toBe(digest);
      expect(stored.manifests.get(digest)?.bytes).toEqual(Buffer.from(layout.blob(digest)));
      const { config, layers } = JSON.parse(String(stored.manifests.get(digest)?.bytes)) as {
        readonly config: { readonly digest: string };
        readonly layers: readonly { readonly digest: string }[];
      };
      for (const blob of [config, ...layers]) {
        expect(stored.blobs.get(blob.digest), `${name} lacks ${blob.digest}`).toEqual(
          Buffer.from(layout.blob(blob.digest)),
        );
      }
    },
  );

  it.each(recordings.filter(isMade).map((one) => [one.name, one] as const))(
    'builder %s stays as kpack pushed it when kpackless takes it over: nothing is pushed, and its digest is the same',
    async (_name, recording) => {
      await reconcile(recording);
      registry.clearRequests();
      const status = await reconcile(recording, 'v1.2.3 (git sha: abc)');
      expect(registry.requests.filter(({ method }) => method !== 'GET' && method !== 'HEAD')).toStrictEqual([]);
      expect(status).toStrictEqual(timeless(recording.status));
    },
  );

  it.each(Object.keys(registryOnly))('builder %s, known from its registry alone, has kpack’s digest', async (name) => {
    const status = (await reconcile({ kind: 'Builder', name })) as { readonly latestImage?: string };
    const reference = `gold/${name}:builder-gb-${name}`;
    expect(status.latestImage).toBe(`${recordedHost}/${reference}@${layout.names.get(reference)?.digest ?? ''}`);
  });
});
