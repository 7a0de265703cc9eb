/** Where pods are recorded: the local cluster, Builds of ours on it, and what can be done to their pods. */
import type { Event, Pod } from 'kubernetes-types/core/v1.d.ts';
import { commitFiles } from '../../infra/local/git-repository.ts';
import type { Build, BuildSpec } from '../../lib/api/build.ts';
import type { Builder } from '../../lib/api/builder.ts';
import { buildLabel } from '../../lib/api/labels.ts';
import { buildPodName } from '../../lib/api/names.ts';
import type { KubeObject } from '../../lib/kube/object.ts';
import { statusOf } from '../../lib/reconcile/conditions.ts';
import { makeLifecycle, makeNamespace, makePlatform, steadyPlatform } from '../e2e/objects.ts';
import type { Suite } from '../e2e/suite.ts';
import { waitFor } from '../e2e/wait.ts';
import { injectLabel } from '../support/pod-webhook.ts';
import { type Watched, watched } from './watched.ts';

export type LivePod = Pod & KubeObject;

/** Each Build has a namespace of its own, as a namespace may run so many at once. */
export const namespaceOf = (build: string): string => `recorded-${build}`;

/** A stage that is set. */
export interface Stage {
  readonly suite: Suite;
  /** The builder image, by digest. */
  readonly builder: string;
  readonly pods: Watched<LivePod>;
  readonly events: Watched<Event & KubeObject>;
  readonly builds: Watched<Build>;
}

/** A Build that is to end or wait in some way. */
export interface WantedBuild {
  readonly files?: Readonly<Record<string, string>>;
  readonly spec?: Partial<BuildSpec>;
  /** What depends on where it is made. */
  readonly more?: (stage: Stage, name: string) => Partial<BuildSpec>;
  readonly inject?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Sets it: a builder, and eyes on everything. */
export const stageOn = async (suite: Suite, signal: AbortSignal): Promise<Stage> => {
  const { kube, transport } = suite;
  await makeNamespace(suite, 'kpack');
  await makeLifecycle(suite);
  await makePlatform(suite, steadyPlatform, suite.images);
  const builder = await waitFor(
    async () => {
      const found = await kube.get<Builder>({ kind: 'ClusterBuilder', namespace: '', name: steadyPlatform });
      return statusOf(found, 'Ready') === 'True' && found;
    },
    { what: 'the builder' },
  );
  return {
    suite,
    builder: builder.status?.latestImage ?? '',
    pods: watched(transport, '/api/v1/pods', signal),
    events: watched(transport, '/api/v1/events', signal),
    builds: watched(transport, '/apis/kpack.io/v1alpha2/builds', signal),
  };
};

/** Makes the Build. Should Kubernetes take its pod away, it waits for ten minutes before it is tried again. */
export const makeBuild = async (
  stage: Stage,
  name: string,
  { files = {}, spec = {}, more = () => ({}), inject, annotations = {} }: WantedBuild,
): Promise<void> => {
  const { suite, builder } = stage;
  const { gitRoot, gitHost } = suite.cluster;
  const content = { 'index.html': name, ...files };
  await commitFiles({ gitRoot, repository: `recorded-${name}`, files: content, message: name, at: new Date() });
  await suite.kube.create({
    apiVersion: 'kpack.io/v1alpha2',
    kind: 'Build',
    metadata: {
      namespace: namespaceOf(name),
      name,
      annotations: { 'build.kpack.io/podRetrySeconds': '600', ...annotations },
      ...(inject !== undefined && { labels: { [injectLabel]: inject } }),
    },
    spec: {
      tags: [`${suite.registry}/apps/recorded-${name}`],
      builder: { image: builder },
      serviceAccountName: 'builder',
      source: { git: { url: `http://${gitHost}/recorded-${name}.git`, revision: 'main' } },
      ...spec,
      ...more(stage, name),
    },
  } as KubeObject);
};

/** Whether it is the pod of this Build. */
export const isOf =
  (build: string) =>
  ({ metadata }: Pod): boolean =>
    metadata?.namespace === namespaceOf(build) && metadata.labels?.[buildLabel] === build;

/** Whether the step runs now. */
export const runs =
  (step: string) =>
  ({ status }: Pod): boolean =>
    [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].some(
      ({ name, state }) => name === step && state?.running !== undefined,
    );

/** The pod of a Build as soon as it is so. */
export const podOf = ({ pods }: Stage, build: string, isSo: (pod: Pod) => boolean, seconds?: number) =>
  pods.first((pod) => isOf(build)(pod) && isSo(pod), `the pod of ${build}`, seconds);

/** Path of a Build's pod. */
export const pathOf = (build: string): string => `/api/v1/namespaces/${namespaceOf(build)}/pods/${buildPodName(build)}`;

/** A request of the administrator. */
export const ask = async (
  { suite }: Stage,
  method: 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body: object = {},
): Promise<void> => {
  const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  await suite.transport.send({ method, path, body: JSON.stringify(body), contentType });
};

/** Asks the eviction API to evict a Build's pod. */
export const evict = (stage: Stage, build: string): Promise<void> =>
  ask(stage, 'POST', `${pathOf(build)}/eviction`, {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { namespace: namespaceOf(build), name: buildPodName(build) },
  });

/** Binds a Build's pod to the node, as a scheduler would. */
export const bind = (stage: Stage, build: string): Promise<void> =>
  ask(stage, 'POST', `${pathOf(build)}/binding`, {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { namespace: namespaceOf(build), name: buildPodName(build) },
    target: { apiVersion: 'v1', kind: 'Node', name: 'node1' },
  });
