/** How far the sample has come, read from the cluster. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../../lib/api/build.ts';
import type { ClusterBuilder } from '../../../lib/api/cluster-builder.ts';
import type { Image } from '../../../lib/api/image.ts';
import { buildPodName, sourceResolverName } from '../../../lib/api/names.ts';
import type { SourceResolver } from '../../../lib/api/source-resolver.ts';
import type { KubeClient } from '../../../lib/kube/client.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { type Conditioned, conditionOf, statusOf } from '../../../lib/reconcile/conditions.ts';
import type { Row } from '../screen.ts';
import { sampleName, sampleNamespace } from './objects.ts';

/** The sample as it is now. */
export interface SampleState {
  readonly rows: readonly Row[];
  readonly image: Image | undefined;
  readonly build: Build | undefined;
  readonly pod: Pod | undefined;
  /** `Ready` of the Image once its latest Build has ended. */
  readonly outcome: 'True' | 'False' | 'Unknown';
}

const say = (object: Conditioned | undefined, type: string): { readonly state: string; readonly detail: string } => {
  if (object === undefined) return { state: 'waiting', detail: '' };
  const found = conditionOf(object, type);
  const state = { True: 'ready', False: 'failed', Unknown: 'working' }[found?.status ?? 'Unknown'];
  return { state, detail: found?.message ?? found?.reason ?? '' };
};

const kinds = ['ClusterStore', 'ClusterStack', 'ClusterBuilder'] as const;

const runningStep = (pod: Pod | undefined): string => {
  const steps = [...(pod?.status?.initContainerStatuses ?? []), ...(pod?.status?.containerStatuses ?? [])];
  const current =
    steps.find(({ state }) => state?.running !== undefined) ??
    steps.find(({ state }) => state?.terminated === undefined);
  const done = steps.filter(({ state }) => state?.terminated?.exitCode === 0).length;
  return steps.length === 0
    ? 'waiting for its pod'
    : `${current?.name ?? 'ended'} (${done} of ${steps.length} steps done)`;
};

/** Reads what the table shows: eight requests. */
export const sampleState = async (kube: KubeClient): Promise<SampleState> => {
  const rows: Row[] = [];
  for (const kind of kinds) {
    const object = await kube.get<ClusterBuilder>({ kind, namespace: '', name: sampleName });
    rows.push({ name: `${kind} ${sampleName}`, ...say(object, 'Ready') });
  }
  const lifecycle = await kube.get<KubeObject & Conditioned>({
    kind: 'ClusterLifecycle',
    namespace: '',
    name: 'default-lifecycle',
  });
  rows.splice(2, 0, { name: 'ClusterLifecycle default-lifecycle', ...say(lifecycle, 'Ready') });
  const key = { namespace: sampleNamespace };
  const resolver = await kube.get<SourceResolver>({
    ...key,
    kind: 'SourceResolver',
    name: sourceResolverName(sampleName),
  });
  const revision = resolver?.status?.source?.git?.revision;
  const source = say(resolver, 'Ready');
  rows.push({ name: 'SourceResolver', ...source, detail: source.detail || (revision ?? '') });

  const image = await kube.get<Image>({ ...key, kind: 'Image', name: sampleName });
  const buildName = image?.status?.latestBuildRef;
  const build = buildName === undefined ? undefined : await kube.get<Build>({ ...key, kind: 'Build', name: buildName });
  const pod =
    build === undefined
      ? undefined
      : await kube.get<Pod & KubeObject>({ ...key, kind: 'Pod', name: buildPodName(build.metadata.name) });
  if (build !== undefined) {
    const said = say(build, 'Succeeded');
    rows.push({
      name: `Build ${build.metadata.name}`,
      ...said,
      detail: said.state === 'working' ? runningStep(pod) : said.detail,
    });
  }
  rows.push({
    name: `Image ${sampleName}`,
    ...say(image, 'Ready'),
    ...(image?.status?.latestImage === undefined ? {} : { detail: image.status.latestImage }),
  });
  const current = image?.metadata.generation === image?.status?.observedGeneration;
  return { rows, image, build, pod, outcome: current ? statusOf(image, 'Ready') : 'Unknown' };
};
