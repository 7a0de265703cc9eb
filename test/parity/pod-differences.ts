/**
 * Every way in which our pods differ from kpack's on purpose, each as what kpack's pod would be with this one thing done our way. Images and
 * commands differ by setting alone. Those that keep steps apart have the reasons of DESIGN §3.28.
 */
import type { Container, Pod, PodSpec, VolumeMount } from 'kubernetes-types/core/v1.d.ts';
import type { Build } from '../../lib/api/build.ts';
import type { StepPrograms } from '../../lib/builds/pod/context.ts';

/** The step programs under kpack's paths, so that only what we changed on purpose differs. */
const registry = '10.88.255.2:5000/kpack';
export const programs: StepPrograms = {
  prepare: { image: `${registry}/build-init:latest`, command: ['/cnb/process/build-init'] },
  completion: { image: `${registry}/completion:latest`, command: ['/cnb/process/completion'] },
  rebase: { image: `${registry}/rebase:latest`, command: ['/cnb/process/rebase'] },
  waiter: { image: `${registry}/build-waiter:latest`, command: ['/kpackless/waiter'] },
  turn: { image: `${registry}/build-init:latest`, shell: '/kpackless/busybox', script: '/kpackless/turn' },
};

/** A step's arguments, also where they are behind the waiter. */
export const argumentsOf = (pod: Pod, name: string): string => {
  const step = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].find((c) => c.name === name);
  return (step?.args ?? []).join(' ');
};

interface Difference {
  readonly why: string;
  /** What kpack's pod looks like with this one thing done our way. */
  readonly apply: (kpack: Pod, build: Build) => Pod;
}

const isRebasePod = (pod: Pod): boolean => argumentsOf(pod, 'rebase') !== '';

const withSpec = (pod: Pod, spec: Partial<PodSpec>): Pod => ({
  ...pod,
  spec: { containers: [], ...pod.spec, ...spec },
});

const eachStep = (pod: Pod, change: (step: Container, index: number, all: readonly Container[]) => Container): Pod =>
  withSpec(pod, {
    initContainers: (pod.spec?.initContainers ?? []).map(change),
    containers: (pod.spec?.containers ?? []).map(change),
  });

const mounting = (step: Container, change: (mount: VolumeMount) => readonly VolumeMount[]): Container => ({
  ...step,
  volumeMounts: (step.volumeMounts ?? []).flatMap(change),
});

/** kpack's argument with the step's own words in it. */
const executed = (args: readonly string[]): readonly string[] => {
  const execute = args.find((arg) => arg.startsWith('-execute=')) ?? '';
  return execute
    .slice('-execute='.length)
    .split(' ')
    .filter((word) => word !== '');
};

/** What a step that names a file or mount of its own wants changed in the words it is started with, wherever these stand. */
const rewording = (step: Container, change: (args: string) => string): Container =>
  step.args === undefined ? step : { ...step, args: step.args.map(change).filter((arg) => arg !== '') };

const analyzed: VolumeMount = { name: 'analyzed-dir', mountPath: '/analyzed' };
const projectMetadata: VolumeMount = { name: 'project-metadata-dir', mountPath: '/projectMetadata' };
const environment: VolumeMount = { name: 'platform-dir', mountPath: '/platform/env', subPath: 'env', readOnly: true };

const readOnly = (mount: VolumeMount): VolumeMount => ({ ...mount, readOnly: true });

/** Step → volume → how we mount it; a step or volume that is not here is mounted as in kpack. */
const mounts: Readonly<Record<string, Readonly<Record<string, (mount: VolumeMount) => readonly VolumeMount[]>>>> = {
  prepare: { 'layers-dir': () => [projectMetadata] },
  analyze: {
    'layers-dir': (mount) => [mount, analyzed],
    'workspace-dir': () => [],
    'home-dir': (mount) => [readOnly(mount)],
  },
  detect: { 'layers-dir': (mount) => [mount, readOnly(analyzed)], 'platform-dir': () => [environment] },
  restore: { 'layers-dir': (mount) => [mount, analyzed], 'home-dir': (mount) => [readOnly(mount)] },
  build: { 'layers-dir': (mount) => [mount, readOnly(analyzed)], 'platform-dir': () => [environment] },
  export: {
    'layers-dir': (mount) => [mount, readOnly(analyzed), readOnly(projectMetadata)],
    'workspace-dir': (mount) => [readOnly(mount)],
    'home-dir': (mount) => [readOnly(mount)],
  },
  completion: { 'home-dir': (mount) => [readOnly(mount)], 'report-dir': (mount) => [readOnly(mount)] },
};

/** Arguments that name a Secret for sources. */
const forSources = /(?<= |^)-(?:basic-git|ssh-git|blob)=(?<secret>[^=\s]+)=\S*(?: |$)/g;

/** Steps whose account's cloud identity is not asked for: buildpacks run there, or nothing that speaks to anybody. */
const withoutIdentity = new Set(['detect', 'build']);

/** The folder of the source's volume that steps beside prepare see. */
const handedOver = 'app';

export const podDifferences: readonly Difference[] = [
  {
    why: 'a rebase pod has the Build’s deadline, so that it cannot hang for ever (DESIGN §4)',
    apply: (pod, { spec: { activeDeadlineSeconds } }) =>
      isRebasePod(pod) && activeDeadlineSeconds !== undefined ? withSpec(pod, { activeDeadlineSeconds }) : pod,
  },
  {
    why: 'where all steps start at once there is no init container pre-start, which costs two seconds: the hook of prepare copies what starts the others (DESIGN §3.31)',
    apply: (pod) => {
      const { initContainers = [], ...spec } = pod.spec ?? { containers: [] };
      return initContainers.some(({ name }) => name === 'pre-start') ? { ...pod, spec } : pod;
    },
  },
  {
    why: 'kubectl’s last-applied annotation is not copied to children (DESIGN §4)',
    apply: (pod) => {
      const { 'kubectl.kubernetes.io/last-applied-configuration': _, ...annotations } = pod.metadata?.annotations ?? {};
      return { ...pod, metadata: { ...pod.metadata, annotations } };
    },
  },
  {
    why: 'no step has the ServiceAccount’s token: none speaks to the cluster, and buildpacks would have it too',
    apply: (pod) => withSpec(pod, { automountServiceAccountToken: false }),
  },
  {
    why: 'cloud identities of the account are kept from the steps in which buildpacks run',
    apply: (pod) => {
      const steps = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map(({ name }) => name);
      const others = steps.filter((name) => withoutIdentity.has(name));
      const annotations = {
        ...pod.metadata?.annotations,
        'eks.amazonaws.com/skip-containers': others.join(','),
        'azure.workload.identity/skip-containers': others.join(';'),
      };
      return { ...pod, metadata: { ...pod.metadata, annotations } };
    },
  },
  {
    why: 'Secrets are mounted read-only, and said to be',
    apply: (pod) =>
      eachStep(pod, (step) =>
        mounting(step, (mount) => [/^(?:pull-)?secret-volume-\d+$/.test(mount.name) ? readOnly(mount) : mount]),
      ),
  },
  {
    why: 'completion, which holds the signing keys, gets no credentials for sources',
    apply: (pod) =>
      eachStep(pod, (step) => {
        if (step.name !== 'completion') return step;
        const secrets = [...(step.args ?? []).join(' ').matchAll(forSources)].map(({ groups }) => groups?.['secret']);
        const paths = new Set(secrets.map((secret) => `/var/build-secrets/${secret}`));
        const kept = mounting(step, (mount) => (paths.has(mount.mountPath) ? [] : [mount]));
        return rewording(kept, (args) => args.replaceAll(forSources, ''));
      }),
  },
  {
    why: 'completion is told the Build’s tag and signs nothing outside of its repository, whatever the report says',
    apply: (pod, build) =>
      eachStep(pod, (step) => {
        if (step.name !== 'completion') return step;
        const env = step.env ?? [];
        const place = env.findIndex(({ name }) => name === 'CACHE_TAG');
        return { ...step, env: env.toSpliced(place, 0, { name: 'IMAGE_TAG', value: build.spec.tags[0] ?? '' }) };
      }),
  },
  {
    why: 'analyzed.toml and the project’s metadata lie where buildpacks cannot write: they choose the run image and say what was built',
    apply: (pod) => {
      const moved = eachStep(pod, (step) => {
        const reworded = rewording(step, (args) =>
          args
            .replaceAll('/layers/analyzed.toml', '/analyzed/analyzed.toml')
            .replaceAll('/layers/project-metadata.toml', '/projectMetadata/project-metadata.toml'),
        );
        const isTold = step.name === 'detect' || step.name === 'build';
        const variable = { name: 'CNB_ANALYZED_PATH', value: '/analyzed/analyzed.toml' };
        return isTold ? { ...reworded, env: [...(step.env ?? []), variable] } : reworded;
      });
      const volumes = (pod.spec?.volumes ?? []).flatMap((volume) =>
        volume.name === 'platform-dir'
          ? [volume, { name: projectMetadata.name, emptyDir: {} }, { name: analyzed.name, emptyDir: {} }]
          : [volume],
      );
      return withSpec(moved, { volumes });
    },
  },
  {
    why: 'a step that only reads a directory cannot write it, and one that does not need it does not have it',
    apply: (pod) =>
      eachStep(pod, (step) => mounting(step, (mount) => mounts[step.name]?.[mount.name]?.(mount) ?? [mount])),
  },
  {
    why: 'where all steps start at once none can write the program that another one is started by, nor say that another one is done; arguments are handed over one by one, not split on spaces; and that program is a shell with a script (DESIGN §3.31, §4)',
    apply: (pod) => {
      const { image, shell, script } = programs.turn;
      const changed = eachStep(pod, (step, index, all) => {
        if (step.args?.includes('-mode=wait') !== true) return step;
        const isOurs = step.image === image;
        const added = (step.volumeMounts ?? []).filter(({ name }) => name === 'downward-api-dir');
        const others = new Set(['downward-api-dir', 'build-wait-dir']);
        const first = ['-ready=/downward/sidecars-ready', '-hold=/turn/turn'];
        const command = [shell, 'cp', shell, script, '/turn'];
        return {
          ...step,
          command: isOurs ? [shell, 'sh', script] : ['/turn/busybox', 'sh', '/turn/turn'],
          args: [...(index === 0 ? first : [`-after=${all[index - 1]?.name ?? ''}`]), '--', ...executed(step.args)],
          volumeMounts: [
            ...(step.volumeMounts ?? []).filter(({ name }) => !others.has(name)),
            ...(isOurs ? [] : [{ name: 'turn-dir', mountPath: '/turn', readOnly: true }]),
            ...added.map(readOnly),
            { name: 'build-wait-dir', mountPath: '/buildWait', readOnly: true },
            { name: 'build-wait-dir', mountPath: '/buildSignal', subPath: step.name },
            ...(index === 0 ? [{ name: 'turn-dir', mountPath: '/turn' }] : []),
          ],
          ...(index === 0 && { lifecycle: { postStart: { exec: { command } } } }),
        };
      });
      const volumes = (pod.spec?.volumes ?? []).flatMap((volume) =>
        volume.name === 'build-wait-dir' ? [{ name: 'turn-dir', emptyDir: {} }, volume] : [volume],
      );
      return withSpec(changed, { volumes });
    },
  },
  {
    why: 'steps that start at once see the source when it is whole: its fetching runs with credentials, and reads git’s configuration beside it',
    apply: (pod) =>
      eachStep(pod, (step) => {
        if (step.command?.[1] !== 'sh') return step;
        if (step.name === 'prepare')
          return { ...step, env: [...(step.env ?? []), { name: 'HAND_OVER_TO', value: `/workspace/${handedOver}` }] };
        return mounting(step, (mount) => [
          mount.name === 'workspace-dir'
            ? { ...mount, subPath: mount.subPath === undefined ? handedOver : `${handedOver}/${mount.subPath}` }
            : mount,
        ]);
      }),
  },
];
