/** Builds whose code attacks the steps beside it: as a buildpack would, as root in image extensions, in sequence and with all steps at once. */
import { randomBytes } from 'node:crypto';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import { commitFiles } from '../../../infra/local/git-repository.ts';
import { sampleExtension } from '../../../infra/local/images/extension.ts';
import { pushImage } from '../../../infra/local/images/push.ts';
import { CNB_USER, SAMPLE_STACK_ID } from '../../../infra/local/images/stack.ts';
import type { Build } from '../../../lib/api/build.ts';
import type { ClusterBuilder } from '../../../lib/api/cluster-builder.ts';
import { podReadyAnnotation } from '../../../lib/api/labels.ts';
import { buildPod } from '../../../lib/builds/pod/build-pod.ts';
import { attackScript, attacks } from '../attack-script.ts';
import { appKey } from '../keys.ts';
import { makeImage, makeNamespace, makePlatform, steadyPlatform } from '../objects.ts';
import { buildOf, type LivePod, podWhen, readyAfter } from '../observe.ts';
import type { Story } from '../story.ts';
import type { Suite } from '../suite.ts';
import { verifiedSignatures } from '../verify.ts';
import { waitFor } from '../wait.ts';

const namespace = 'apart';
const platform = 'apart';
const app = { namespace, name: 'app' };

const gitSecret = {
  name: 'git-login',
  type: 'kubernetes.io/basic-auth',
  annotations: { 'kpack.io/git': 'https://git.example' },
  values: { username: 'u', password: randomBytes(12).toString('hex') },
} as const;

/** Puts a link in place of its own signal. */
const falseSignal = 'ln -s /etc/passwd /buildSignal/done && echo "the link is there"';

const repositories: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  attack: { 'build-script': attackScript, 'root-script': attackScript },
  signal: { 'build-script': falseSignal },
};

const urlOf = ({ cluster }: Suite, repository: string): string => `http://${cluster.gitHost}/apart-${repository}.git`;

interface WantedPod {
  readonly name: string;
  readonly repository: string;
  readonly builder: string;
  readonly hasExtensions?: boolean;
  /** As where sidecars are injected; else as parallel steps are. */
  readonly besideSidecars?: boolean;
}

/** A pod with all its steps at once, as kpackless makes it, of a Build that does not exist. */
const podOf = async (
  suite: Suite,
  { name, repository, builder, hasExtensions = false, besideSidecars = false }: WantedPod,
): Promise<Pod> => {
  const { kube, images, registry, stepImage } = suite;
  const made = await kube.get<ClusterBuilder>({ kind: 'ClusterBuilder', namespace: '', name: builder });
  const program = (of: string) => ({ image: stepImage, command: [`/cnb/process/${of}`] });
  const build: Build = {
    apiVersion: 'kpack.io/v1alpha2',
    kind: 'Build',
    metadata: { name, namespace, annotations: { [podReadyAnnotation]: 'true' } },
    spec: {
      tags: [`${registry}/apps/apart-${name}`],
      builder: { image: made?.status?.latestImage ?? '' },
      serviceAccountName: 'builder',
      source: { git: { url: urlOf(suite, repository), revision: 'main' } },
      activeDeadlineSeconds: 300,
    },
  };
  return buildPod(build, {
    programs: {
      prepare: program('build-init'),
      completion: program('completion'),
      rebase: program('rebase'),
      waiter: program('build-waiter'),
      turn: { image: stepImage, shell: '/usr/bin/busybox', script: '/cnb/process/turn' },
    },
    builder: {
      image: made?.status?.latestImage ?? '',
      stackId: SAMPLE_STACK_ID,
      runImage: images.run,
      platformApis: ['0.9', '0.13'],
      uid: CNB_USER,
      gid: CNB_USER,
      hasExtensions,
    },
    secrets: [
      { ...gitSecret, signsImages: false },
      { name: appKey.secret.name, type: appKey.secret.type, annotations: {}, signsImages: true },
    ],
    pullSecrets: [],
    bindings: [],
    settings: {
      trustUnknownSshHosts: true,
      injectedSidecars: besideSidecars,
      buildSteps: 'parallel',
      emptyDirLimit: '1Gi',
    },
    now: new Date(),
  });
};

/** Starts it, owned by nobody. */
const startPod = async (suite: Suite, wanted: WantedPod): Promise<void> => {
  const { metadata, ...pod } = await podOf(suite, wanted);
  const { ownerReferences: _, ...kept } = metadata ?? {};
  await suite.kube.create({ ...pod, metadata: kept });
};

const nameOf = (wanted: WantedPod): string => `${wanted.name}-build-pod`;

const ended = (suite: Suite, wanted: WantedPod): Promise<LivePod> => {
  let pod: LivePod | undefined;
  const what = `pod ${nameOf(wanted)} to end`;
  return waitFor(
    async () => {
      pod = await suite.kube.get<LivePod>({ kind: 'Pod', namespace, name: nameOf(wanted) });
      return (pod?.status?.phase === 'Succeeded' || pod?.status?.phase === 'Failed') && pod;
    },
    { what, seconds: 240, seen: () => pod?.status },
  );
};

const logOf = async ({ transport }: Suite, pod: string, step: string): Promise<string> => {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log?container=${step}`;
  return (await transport.send({ method: 'GET', path, accept: '*/*' })).body;
};

/** What came of the attacks in that step's log: those that worked, and how many were tried. */
const outcomes = (log: string) => {
  const said = [...log.matchAll(/attack: (?<what>[\w -]+): (?<how>worked|refused)/g)];
  const worked = said.flatMap(({ groups }) => (groups?.['how'] === 'worked' ? [groups['what']] : []));
  return { tried: said.length, worked };
};
const allRefused = { tried: attacks.length, worked: [] };

/** Mounts that the code found writable, but for what the kubelet gives to every container. */
const writableIn = (log: string): readonly string[] => {
  const paths = [...log.matchAll(/writable: (?<path>\/\S*)/g)].map(({ groups }) => groups?.['path'] ?? '');
  return [...new Set(paths)].filter((path) => path !== '/' && !path.startsWith('/etc/')).sort();
};

const exitCodes = ({ status }: LivePod): Readonly<Record<string, number | undefined>> =>
  Object.fromEntries(
    [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].map(({ name, state }) => [
      name,
      state?.terminated?.exitCode,
    ]),
  );

const atOnce: WantedPod = { name: 'at-once', repository: 'attack', builder: steadyPlatform };
const asRoot: WantedPod = {
  name: 'as-root',
  repository: 'attack',
  builder: platform,
  hasExtensions: true,
  besideSidecars: true,
};
const sidecars: WantedPod = {
  name: 'sidecars',
  repository: 'attack',
  builder: steadyPlatform,
  besideSidecars: true,
};
const falselyDone: WantedPod = { name: 'falsely-done', repository: 'signal', builder: steadyPlatform };

/** An attack in sequence, the same with all steps at once, one as root, and one with a false signal. */
export const apart: Story = {
  begin: async (suite) => {
    const { registry, images } = suite;
    const { gitRoot } = suite.cluster;
    for (const [name, files] of Object.entries(repositories))
      await commitFiles({ gitRoot, repository: `apart-${name}`, files, message: name, at: new Date() });
    const extension = await pushImage(
      registry,
      await sampleExtension({ name: 'sample/extension:1.0.0', version: '1.0.0' }),
    );
    await makePlatform(suite, platform, { ...images, extension });
    await makeNamespace(suite, namespace, [gitSecret, appKey.secret]);
    await makeImage(suite, { ...app, source: { git: { url: urlOf(suite, 'attack'), revision: 'main' } } });
  },

  tell: (the) => {
    describe('code of a build that attacks the other steps', () => {
      beforeAll(async () => {
        const { kube } = the();
        await waitFor(
          async () => {
            const builders = await kube.list<ClusterBuilder>('ClusterBuilder', {});
            const ready = builders.filter(({ status }) => (status?.latestImage ?? '') !== '');
            return [platform, steadyPlatform].every((name) => ready.some(({ metadata }) => metadata.name === name));
          },
          { what: 'both builders' },
        );
        for (const wanted of [atOnce, sidecars, falselyDone, asRoot]) await startPod(the(), wanted);
      });

      it('reads and writes nothing that is not its own, and the image is built and signed', async () => {
        const image = await readyAfter(the(), app, 1);
        const pod = await podWhen(the(), app, 1);
        const log = await logOf(the(), pod.metadata?.name ?? '', 'build');
        expect(outcomes(log)).toEqual(allRefused);
        expect(writableIn(log)).toEqual(['/layers', '/workspace']);
        await verifiedSignatures(the(), image.status?.latestImage ?? '', [appKey.publicKey]);
        expect((await buildOf(the(), app, 1))?.status?.stepsCompleted).toContain('completion');
      });

      it.each([
        ['', atOnce],
        [' beside sidecars', sidecars],
      ])('does no better where all steps run at once%s', async (_, wanted) => {
        const pod = await ended(the(), wanted);
        const log = await logOf(the(), nameOf(wanted), 'build');
        expect(outcomes(log)).toEqual(allRefused);
        expect(writableIn(log)).toEqual(['/buildSignal', '/layers', '/workspace']);
        expect([...new Set(Object.values(exitCodes(pod)))]).toEqual([0]);
        expect(await logOf(the(), nameOf(wanted), 'completion')).toMatch(/Build successful\n$/);
      });

      it('cannot say that it is done with a link: nobody goes on, and nothing is signed', async () => {
        const pod = await ended(the(), falselyDone);
        expect(await logOf(the(), nameOf(falselyDone), 'build')).toContain('the link is there');
        expect(pod.status?.phase).toBe('Failed');
        const { prepare, analyze, detect, restore, ...rest } = exitCodes(pod);
        expect([prepare, analyze, detect, restore]).toEqual([0, 0, 0, 0]);
        for (const step of ['build', 'export', 'completion']) expect(rest[step], `in ${step}`).toBeGreaterThan(0);
        expect(await logOf(the(), nameOf(falselyDone), 'completion')).not.toMatch(/Signed with|Build successful/);
      });

      it('does no better as root, in the run image and in the build image', async () => {
        const pod = await ended(the(), asRoot);
        for (const step of ['extend-run', 'extend-build']) {
          const log = await logOf(the(), nameOf(asRoot), step);
          const { tried, worked } = outcomes(log);
          expect(worked, `in ${step}`).toEqual([]);
          const workspace = step === 'extend-build' ? ['/workspace'] : [];
          expect(writableIn(log), `in ${step}`).toEqual(['/buildSignal', '/kaniko', '/layers', ...workspace]);
          // The script runs as root, and in the build image once more as buildpacks do.
          expect(tried, `in ${step}`).toBe(step === 'extend-run' ? attacks.length : 2 * attacks.length);
        }
        expect([...new Set(Object.values(exitCodes(pod)))]).toEqual([0]);
      });
    });
  },
};
