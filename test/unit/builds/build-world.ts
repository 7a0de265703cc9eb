/** A cluster with what Build B needs, and images that need no registry. */

import { gzipSync } from 'node:zlib';
import type { ContainerState, Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Build, BuildSpec } from '../../../lib/api/build.ts';
import type { Account } from '../../../lib/buildpacks/offers.ts';
import type { ArchivePorts } from '../../../lib/builds/archive/archive.ts';
import type { AttestPorts } from '../../../lib/builds/attest.ts';
import type { CapPorts } from '../../../lib/builds/cap.ts';
import type { ImageFacts, Images, RebaseRequest, SignRequest } from '../../../lib/builds/images-port.ts';
import type { PodSettings } from '../../../lib/builds/pod/context.ts';
import { buildReconciler } from '../../../lib/builds/reconcile.ts';
import type { RetryPolicy } from '../../../lib/builds/tries.ts';
import type { Reconciler } from '../../../lib/reconcile/reconciler.ts';
import { type FakeCluster, fakeCluster, type Stored } from '../../support/fake-cluster.ts';
import { type PassReport, type PassSetting, runPass } from '../../support/run-pass.ts';
import { buildB, contextB } from './base-build.ts';

export const namespace = 'some-namespace';
export const pods = `/api/v1/namespaces/${namespace}/pods`;
export const podPath = `${pods}/build-name-build-pod`;
export const builds = `/apis/kpack.io/v1alpha2/namespaces/${namespace}/builds`;
const secrets = `/api/v1/namespaces/${namespace}/secrets`;
export const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;

export const digestOf = (letter: string): string => `sha256:${letter.repeat(64)}`;

export const builderFacts: ImageFacts = {
  digest: digestOf('b'),
  os: 'linux',
  env: ['PATH=/bin', 'CNB_USER_ID=2000', 'CNB_GROUP_ID=3000'],
  labels: {
    'io.buildpacks.stack.id': 'S',
    'io.buildpacks.builder.metadata': JSON.stringify({
      stack: { runImage: { image: 'R1' } },
      lifecycle: { apis: { platform: { deprecated: null, supported: ['0.7', '0.8', '0.9'] } } },
    }),
  },
};

export const appFacts: ImageFacts = {
  digest: digestOf('a'),
  os: 'linux',
  env: [],
  labels: {
    'io.buildpacks.stack.id': 'S',
    'io.buildpacks.build.metadata': JSON.stringify({
      buildpacks: [{ id: 'test/bp', version: '1.0.0' }],
      launcher: { version: '0.21.0' },
    }),
    'io.buildpacks.lifecycle.metadata': JSON.stringify({
      runImage: { topLayer: digestOf('c'), reference: `builderregistry.io/run@${digestOf('d')}` },
      stack: { runImage: { image: 'builderregistry.io/run:tag' } },
    }),
  },
};

/** What `completion` leaves as termination message. */
export const completionMessage = (overrides: object = {}): string =>
  gzipSync(
    JSON.stringify({
      buildpackMetadata: [{ id: 'test/bp', version: '1.0.0', homepage: 'https://bp.example' }],
      latestCacheImage: '',
      latestImage: `index.docker.io/someimage/name@${digestOf('a')}`,
      stackID: 'S',
      stackRunImage: `builderregistry.io/run@${digestOf('d')}`,
      lifecycleVersion: '0.21.0',
      ...overrides,
    }),
  ).toString('base64');

/** Images by reference; a function may answer or throw. */
interface FakeImages extends Images {
  readonly known: Map<string, ImageFacts | (() => ImageFacts)>;
  readonly reads: { readonly reference: string; readonly account: Account }[];
  readonly rebases: RebaseRequest[];
  readonly signs: SignRequest[];
  onRebase: () => ImageFacts;
  onSign: () => void;
}

const fakeImages = (): FakeImages => {
  const images: FakeImages = {
    known: new Map([['builder.example/b', builderFacts]]),
    reads: [],
    rebases: [],
    signs: [],
    onRebase: () => appFacts,
    onSign: () => undefined,
    read: (reference, account) => {
      images.reads.push({ reference, account });
      const found = images.known.get(reference);
      if (found === undefined) return Promise.reject(new Error(`the test has no image ${reference}`));
      return Promise.resolve().then(() => (typeof found === 'function' ? found() : found));
    },
    rebase: (request) => {
      images.rebases.push(request);
      return Promise.resolve().then(() => images.onRebase());
    },
    sign: (request) => {
      images.signs.push(request);
      return Promise.resolve().then(() => images.onSign());
    },
  };
  return images;
};

export interface BuildWorld {
  readonly cluster: FakeCluster;
  readonly images: FakeImages;
  readonly reconciler: Reconciler<Build>;
  /** One pass over B, with what the one before left in the record. */
  pass(setting?: PassSetting): Promise<PassReport>;
  /** The record is lost, as when the process dies before it is written. */
  loseRecord(): void;
  /** B as it is now. */
  build(): Stored;
  /** Its one condition, without its time. */
  condition(): Record<string, unknown>;
  /** Gives the pod this status, as the kubelet would. */
  podSays(status: Pod['status']): void;
}

export interface WorldOptions {
  readonly spec?: Partial<BuildSpec>;
  readonly metadata?: Partial<Build['metadata']>;
  readonly settings?: Partial<PodSettings>;
  readonly cap?: CapPorts | undefined;
  readonly attest?: AttestPorts | undefined;
  readonly archive?: ArchivePorts | undefined;
  readonly retries?: RetryPolicy | undefined;
  readonly sidecarNamespaces?: readonly string[] | undefined;
  /** Images of real registries instead of the fake ones. */
  readonly registries?: Images | undefined;
}

/** B, its ServiceAccount without secrets, and its builder image. */
export const buildWorld = ({
  spec = {},
  metadata = {},
  settings = {},
  cap,
  attest,
  archive,
  retries,
  sidecarNamespaces,
  registries,
}: WorldOptions = {}): BuildWorld => {
  const cluster = fakeCluster();
  const images = fakeImages();
  cluster.put(builds, buildB(spec, { generation: 1, ...metadata }));
  cluster.put(accounts, { kind: 'ServiceAccount', metadata: { name: 'someserviceaccount', namespace } });
  const { programs, settings: base } = contextB();
  const reconciler = buildReconciler({
    images: registries ?? images,
    programs,
    settings: { ...base, ...settings },
    cap,
    attest,
    archive,
    retries,
    sidecarNamespaces,
  });
  const build = () => cluster.at(`${builds}/build-name`);
  let memory: string | undefined;
  return {
    cluster,
    images,
    reconciler,
    build,
    pass: async (setting) => {
      const key = { kind: 'Build', namespace, name: 'build-name' };
      const report = await runPass(reconciler, cluster.kube, key, { memory, ...setting });
      memory = report.memory;
      return report;
    },
    loseRecord: () => {
      memory = undefined;
    },
    condition: () => {
      const { conditions } = build().status as { readonly conditions: readonly Record<string, unknown>[] };
      const { lastTransitionTime: _, ...rest } = conditions[0] ?? {};
      return rest;
    },
    podSays: (status) => {
      const { metadata: meta, ...pod } = cluster.at(podPath);
      cluster.remove(podPath);
      cluster.put(pods, { ...pod, metadata: meta, status } as object);
    },
  };
};

export const secret = (name: string, data: Record<string, string> = {}, type = 'Opaque') => ({
  path: secrets,
  object: { kind: 'Secret', metadata: { name, namespace }, type, data },
});

/** A container status. */
export const status = (name: string, state: ContainerState, ready = false) => ({
  name,
  state,
  ready,
  image: '',
  imageID: '',
  restartCount: 0,
});

export const ended = (name: string, exitCode = 0, message = '') =>
  status(name, { terminated: { exitCode, ...(message === '' ? {} : { message }) } });
export const waits = (name: string, reason: string, message = '') =>
  status(name, { waiting: { reason, ...(message === '' ? {} : { message }) } });
export const runs = (name: string) => status(name, { running: {} }, true);

export const lifecycleSteps = ['prepare', 'analyze', 'detect', 'restore', 'build', 'export'] as const;

/** A pod that ended well. */
export const succeededPod = (message = completionMessage()): NonNullable<Pod['status']> => ({
  phase: 'Succeeded',
  initContainerStatuses: lifecycleSteps.map((name) => ended(name)),
  containerStatuses: [ended('completion', 0, message)],
});
