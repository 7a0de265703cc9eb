/**
 * The pods that kpack made of recorded Builds, field by field against ours. What the API server and admission added to the recordings
 * is taken off on both sides; where we differ on purpose, `podDifferences` says in what and why.
 */
import type { Container, Pod, PodSpec, Volume } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import type { Build } from '../../lib/api/build.ts';
import { buildPod } from '../../lib/builds/pod/build-pod.ts';
import type { Binding, BuildSecret, PodContext } from '../../lib/builds/pod/context.ts';
import { golden, goldenFiles } from '../support/golden.ts';
import { argumentsOf, podDifferences, programs } from './pod-differences.ts';

interface Recording {
  readonly builds: readonly Build[];
  readonly pods: readonly Pod[];
}
interface WorldObject {
  readonly kind: string;
  readonly type?: string;
  readonly metadata: { readonly name: string; readonly annotations?: Record<string, string> };
  readonly stringData?: Record<string, string>;
  readonly secrets?: readonly { readonly name: string }[];
  readonly imagePullSecrets?: readonly { readonly name: string }[];
}
interface World {
  readonly setup: readonly WorldObject[];
}

const platformApis = ['0.7', '0.8', '0.9', '0.10', '0.11', '0.12', '0.13'];

interface Folder {
  readonly name: string;
  readonly injectedSidecars?: boolean;
  readonly maximumPlatformApi?: string;
}
const folders: readonly Folder[] = [
  { name: 'default' },
  { name: 'sidecar', injectedSidecars: true },
  { name: 'slsa' },
  { name: 'platform07', maximumPlatformApi: '0.7' },
  { name: 'platform012', maximumPlatformApi: '0.12' },
  { name: 'flow' },
];

/** Recordings carry no creation time; the signature's timestamp repeats it. */
const created = (pod: Pod): string => {
  const [, date = '', time = ''] = /buildTimestamp=(\d{8})\.(\d{6})/.exec(argumentsOf(pod, 'completion')) ?? [];
  const [y, m, d] = [date.slice(0, 4), date.slice(4, 6), date.slice(6)];
  return `${y}-${m}-${d}T${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4)}Z`;
};

/** The Build as it was when its pod was made: annotations that users put on later are not on the pod. */
const asOfPod = (build: Build, pod: Pod): Build => {
  const { 'image.kpack.io/additionalBuildNeeded': _, ...annotations } = build.metadata.annotations ?? {};
  return { ...build, metadata: { ...build.metadata, annotations, creationTimestamp: created(pod) } };
};

/** When the pod was generated: what `creationTime: now` recorded. */
const generated = (pod: Pod): Date => {
  const steps = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const epoch = steps.flatMap((step) => step.env ?? []).find(({ name }) => name === 'SOURCE_DATE_EPOCH')?.value;
  return epoch === undefined ? new Date(0) : new Date(Number(epoch) * 1000);
};

const secretsOf = (world: World, account: WorldObject | undefined): readonly BuildSecret[] =>
  (account?.secrets ?? []).map(({ name }) => {
    const secret = world.setup.find((object) => object.kind === 'Secret' && object.metadata.name === name);
    return {
      name,
      type: secret?.type ?? 'Opaque',
      annotations: secret?.metadata.annotations ?? {},
      signsImages: (secret?.stringData?.['cosign.key'] ?? '') !== '',
    };
  });

const bindingsOf = ({ spec }: Build): readonly Binding[] =>
  spec.services === undefined
    ? (spec.cnbBindings ?? []).map(({ name, metadataRef, secretRef }) => ({
        kind: 'cnb',
        name,
        metadata: metadataRef.name,
        secret: secretRef?.name,
      }))
    : spec.services.map(({ name }) => ({ kind: 'service', name, secret: name }));

const contextOf = (folder: Folder, world: World, build: Build, pod: Pod): PodContext => {
  const account = world.setup.find(
    ({ kind, metadata }) => kind === 'ServiceAccount' && metadata.name === build.spec.serviceAccountName,
  );
  const secrets = secretsOf(world, account);
  const names = new Set(secrets.map(({ name }) => name));
  return {
    programs,
    builder: {
      image: build.spec.builder.image ?? '',
      stackId: 'test.stack',
      runImage: '',
      platformApis,
      uid: 1000,
      gid: 1000,
    },
    secrets,
    pullSecrets: (account?.imagePullSecrets ?? []).map(({ name }) => name).filter((name) => !names.has(name)),
    bindings: bindingsOf(build),
    settings: {
      trustUnknownSshHosts: true,
      injectedSidecars: folder.injectedSidecars ?? false,
      maximumPlatformApi: folder.maximumPlatformApi,
    },
    now: generated(pod),
  };
};

/** Fields that the API server, admission, the scheduler or the kubelet add to a Pod. */
const withoutAdded = (pod: Pod, build: Build): Pod => {
  const volume = ({ secret, configMap, downwardAPI, ...rest }: Volume): Volume => ({
    ...rest,
    ...(secret && { secret: { ...secret, defaultMode: 420 } }),
    ...(configMap && { configMap: { ...configMap, defaultMode: 420 } }),
    ...(downwardAPI && {
      downwardAPI: {
        defaultMode: 420,
        items: (downwardAPI.items ?? []).map((item) => ({
          ...item,
          ...(item.fieldRef && { fieldRef: { apiVersion: 'v1', ...item.fieldRef } }),
        })),
      },
    }),
  });
  const container = (step: Container): Container => ({
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    ...step,
    ...(step.resources?.limits && {
      resources: { ...step.resources, requests: { ...step.resources.limits, ...step.resources.requests } },
    }),
    ...(step.env && { env: step.env.map((entry) => ({ ...entry, value: entry.value ?? '' })) }),
    volumeMounts: (step.volumeMounts ?? []).filter(({ name }) => !name.startsWith('kube-api-access-')),
  });
  const {
    nodeName: _n,
    serviceAccount: _s,
    priority: _p,
    imagePullSecrets,
    tolerations,
    ...spec
  } = {
    ...(pod.spec ?? { containers: [] }),
  };
  const kept = (tolerations ?? []).filter(({ tolerationSeconds }) => tolerationSeconds !== 300);
  const { generation: _g, ...metadata } = pod.metadata ?? {};
  const added: Partial<PodSpec> = {
    dnsPolicy: 'ClusterFirst',
    enableServiceLinks: true,
    preemptionPolicy: 'PreemptLowerPriority',
    schedulerName: 'default-scheduler',
    terminationGracePeriodSeconds: 30,
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata,
      ownerReferences: (metadata.ownerReferences ?? []).map((owner) => ({ ...owner, uid: '' })),
    },
    spec: {
      ...added,
      ...spec,
      ...(kept.length > 0 && { tolerations: kept }),
      ...((build.spec.builder.imagePullSecrets ?? []).length > 0 && imagePullSecrets && { imagePullSecrets }),
      initContainers: (spec.initContainers ?? []).map(container),
      containers: spec.containers.map(container),
      volumes: (spec.volumes ?? []).filter(({ name }) => !name.startsWith('kube-api-access-')).map(volume),
    },
  };
};

const recordings = folders.flatMap((folder) =>
  goldenFiles(folder.name).map((file) => ({ folder, path: `${folder.name}/${file}` })),
);

describe('pods of recorded Builds', () => {
  const emptyWorld: World = { setup: [] };
  const worlds = new Map(
    folders.map(({ name }) => [name, name === 'flow' ? emptyWorld : (golden(`${name}/_world.json`) as World)]),
  );

  const cases = recordings.flatMap(({ folder, path }) => {
    const { builds, pods } = golden(path) as Recording;
    return pods.map((pod) => {
      const build = builds.find(({ metadata }) => metadata.name === pod.metadata?.ownerReferences?.[0]?.name);
      return { title: `${path} ${pod.metadata?.name}`, folder, build, pod };
    });
  });

  it('covers every pod of the recordings', () => {
    expect(cases.length).toBeGreaterThan(80);
    expect(cases.every(({ build }) => build !== undefined)).toBe(true);
  });

  it.each(cases)('$title', ({ folder, build, pod }) => {
    if (build === undefined) throw new Error('recording without a Build for its pod');
    const given = asOfPod(build, pod);
    const ours = buildPod(given, contextOf(folder, worlds.get(folder.name) ?? emptyWorld, given, pod));
    const { status: _, ...recorded } = pod;
    const expected = podDifferences.reduce((kpack, { apply }) => apply(kpack, given), recorded);
    expect(withoutAdded(ours, given)).toEqual(withoutAdded(expected, given));
  });
});
