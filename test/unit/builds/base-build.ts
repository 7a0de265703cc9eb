/** The Build B of spec 03 §23 and what its pod is made from. */
import type { Container, Pod } from 'kubernetes-types/core/v1.d.ts';
import type { Build, BuildSpec } from '../../../lib/api/build.ts';
import type { BuildSecret, PodContext, PodSettings } from '../../../lib/builds/pod/context.ts';

const secret = (
  name: string,
  type: string,
  annotations: Record<string, string> = {},
  signsImages = false,
): BuildSecret => ({ name, type, annotations, signsImages });

export const baseSecrets: readonly BuildSecret[] = [
  secret('git-secret-1', 'kubernetes.io/basic-auth', { 'kpack.io/git': 'https://github.com' }),
  secret('git-secret-2', 'kubernetes.io/ssh-auth', { 'kpack.io/git': 'https://bitbucket.com' }),
  secret('docker-secret-1', 'kubernetes.io/basic-auth', { 'kpack.io/docker': 'acr.io' }),
  secret('random-secret-1', 'kubernetes.io/basic-auth'),
  secret('docker-secret-2', 'kubernetes.io/dockerconfigjson'),
  secret('docker-secret-3', 'kubernetes.io/dockercfg'),
  secret('secret.with.dots', 'kubernetes.io/dockerconfigjson'),
  secret('blob-secret', 'Opaque', { 'kpack.io/blob': 'blobstore.com' }),
  secret('secret-to-ignore', 'bootstrap.kubernetes.io/token', { 'kpack.io/docker': 'acr.io' }),
];

export const cosignSecret = (name: string, annotations: Record<string, string> = {}): BuildSecret =>
  secret(name, 'Opaque', annotations, true);

/** B with some of its spec or metadata replaced. */
export const buildB = (spec: Partial<BuildSpec> = {}, metadata: Partial<Build['metadata']> = {}): Build => ({
  apiVersion: 'kpack.io/v1alpha2',
  kind: 'Build',
  metadata: {
    name: 'build-name',
    namespace: 'some-namespace',
    uid: 'build-uid',
    creationTimestamp: '1944-06-06T13:30:00Z',
    labels: { 'image.kpack.io/buildNumber': '12' },
    ...metadata,
  },
  spec: {
    tags: ['someimage/name', 'someimage/name:tag2', 'someimage/name:tag3'],
    serviceAccountName: 'someserviceaccount',
    builder: { image: 'builder.example/b', imagePullSecrets: [{ name: 'builder-pull-secret' }] },
    source: { git: { url: 'https://github.com/a/b', revision: 'main' } },
    cache: { volume: { persistentVolumeClaimName: 'some-cache-name' } },
    runImage: { image: 'builderregistry.io/run' },
    lastBuild: { image: 'registry.example/previous', stackId: 'S' },
    creationTime: 'now',
    ...spec,
  },
});

/** B as a STACK rebase. */
export const rebaseB = (spec: Partial<BuildSpec> = {}): Build =>
  buildB(spec, { annotations: { 'image.kpack.io/reason': 'STACK', 'image.kpack.io/buildChanges': 'changes' } });

interface ContextOverrides extends Partial<Omit<PodContext, 'builder' | 'settings'>> {
  readonly builder?: Partial<PodContext['builder']>;
  readonly settings?: Partial<PodSettings>;
}

/** What B's pod is made from, with parts replaced. */
export const contextB = ({ builder, settings, ...rest }: ContextOverrides = {}): PodContext => ({
  programs: {
    prepare: { image: 'steps', command: ['/kpackless/prepare'] },
    completion: { image: 'steps', command: ['/kpackless/completion'] },
    rebase: { image: 'steps', command: ['/kpackless/rebase'] },
    waiter: { image: 'steps', command: ['/kpackless/waiter'] },
    turn: { image: 'steps', shell: '/kpackless/shell', script: '/kpackless/turn' },
  },
  builder: {
    image: 'BI',
    stackId: 'S',
    runImage: 'R1',
    platformApis: ['0.7', '0.8', '0.9'],
    uid: 2000,
    gid: 3000,
    ...builder,
  },
  secrets: baseSecrets,
  pullSecrets: ['image-pull-1', 'image-pull-2'],
  bindings: [],
  settings: { trustUnknownSshHosts: true, injectedSidecars: false, ...settings },
  now: new Date('2026-11-21T08:00:00.900Z'),
  ...rest,
});

/** All steps in the order they run. */
export const stepsOf = (pod: Pod): readonly Container[] => [
  ...(pod.spec?.initContainers ?? []),
  ...(pod.spec?.containers ?? []),
];

/** The container of that name; an error when there is none. */
export const step = (pod: Pod, name: string): Container => {
  const found = stepsOf(pod).find((container) => container.name === name);
  if (found === undefined)
    throw new Error(
      `no container ${name} in ${stepsOf(pod)
        .map((c) => c.name)
        .join(', ')}`,
    );
  return found;
};

/** The names of a step's mounts. */
export const mountsOf = (pod: Pod, name: string): readonly string[] =>
  (step(pod, name).volumeMounts ?? []).map((mount) => mount.name);

/** The value of a step's variable; undefined when it has none. */
export const variableOf = (pod: Pod, name: string, variable: string): string | undefined =>
  step(pod, name).env?.find((entry) => entry.name === variable)?.value;

export const volumeNames = (pod: Pod): readonly string[] => (pod.spec?.volumes ?? []).map(({ name }) => name);
