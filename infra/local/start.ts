/** Brings everything up in order, and down again in reverse order from wherever it was. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { conversionPath } from '../../lib/conversion/path.ts';
import { PermanentError } from '../../lib/errors/expected.ts';
import type { AccessSource } from '../../lib/kube/access.ts';
import { type KubeClient, kubeClient } from '../../lib/kube/client.ts';
import { followedTransport } from '../../lib/kube/followed-transport.ts';
import type { KubeConfig } from '../../lib/kube/kubeconfig.ts';
import { kubeconfigFile } from '../../lib/kube/kubeconfig.ts';
import { kubeconfigAccess } from '../../lib/kube/kubeconfig-access.ts';
import { askSupport } from '../../lib/kube/server-version.ts';
import type { KubeTransport } from '../../lib/kube/transport.ts';
import type { Converter } from '../crds/definition.ts';
import { bundleStandalone, type StandaloneProcess, startStandaloneProcess } from '../standalone/child.ts';
import { buildStepImage, type StepImage } from '../step-image/build.ts';
import { ensureBinaries } from './cluster/binaries.ts';
import { type Cluster, startCluster } from './cluster/cluster.ts';
import { ensurePackages } from './cluster/packages.ts';
import type { Report } from './cluster/report.ts';
import { defaultCacheDir } from './cluster/state.ts';
import { commitFiles, hasBranch } from './git-repository.ts';
import { pushStepImage } from './images/push-step-image.ts';
import { pushSampleImages, type SampleBinaries, type SampleImages } from './images/sample-set.ts';
import { install, whyNotInstall, writeOwnKubeconfig } from './install.ts';
import type { StartOptions } from './options.ts';
import { addressesOf, egressAllow, egressSaid } from './own-hosts.ts';
import { builtAtOnce, sampleName, sampleNamespace, sampleObjects } from './sample/objects.ts';
import { sampleFiles } from './sample/source.ts';
import { pushSourceImage } from './sample/source-image.ts';
import type { Screen } from './screen.ts';

/** Everything that runs. */
export interface Running {
  readonly kube: KubeClient;
  readonly transport: KubeTransport;
  readonly cluster: Cluster | undefined;
  readonly standalone: StandaloneProcess;
  readonly images: SampleImages;
  readonly registry: string;
  /** What to try next, for people. */
  readonly hints: readonly string[];
  stop(): Promise<void>;
}

/** A cluster with kpackless' definitions and permissions. */
interface Entered {
  readonly kube: KubeClient;
  readonly transport: KubeTransport;
  /** kpackless' own. */
  readonly kubeconfig: string;
  /** Where its state and logs are. */
  readonly home: string;
}

/** The cluster to work on. */
interface Target extends Entered, Pushed {
  /** The bundle of standalone mode. */
  readonly program: string;
  readonly cluster: Cluster | undefined;
  readonly registry: string;
  readonly name: string;
}

const healthPort = 8089;
const hookPort = 8090;
const conversionPort = 8091;
/** The API server of this machine is on loopback, as the process is; one elsewhere does not reach it. */
const onLoopback: Converter = { url: `https://127.0.0.1:${conversionPort}${conversionPath}` };

const addressOf = (config: KubeConfig): { server: string; caData: string } => {
  const cluster = config.getCurrentCluster();
  return { server: cluster?.server ?? '', caData: cluster?.caData ?? '' };
};

/** Starts in order; whatever fails or `stopped` interrupts, nothing is left running. */
export const startEverything = async (
  options: StartOptions,
  stateDir: string,
  screen: Screen,
  stopped: AbortSignal,
): Promise<Running> => {
  const undo: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    return await bringUp(options, stateDir, screen, stopped, undo, stop);
  } catch (error) {
    await stop();
    throw error;
  }
};

/** What needs no cluster and is begun beside it. Whoever needs it waits for it, and hears of its failure. */
interface Preparations {
  readonly stepImage: Promise<StepImage>;
  readonly program: Promise<string>;
}

const prepare = (stateDir: string, report: Report): Preparations => {
  const stepImage = buildStepImage({ report });
  const program = bundleStandalone(join(stateDir, 'program'));
  for (const work of [stepImage, program]) work.catch(() => undefined);
  return { stepImage, program };
};

/** What a registry has to have: the image of the build steps and the sample's. */
interface Pushed {
  readonly stepImage: string;
  readonly images: SampleImages;
}

/** Pushes them; the sample's first, as they are there first. */
const push = async (
  registry: string,
  { stepImage }: Preparations,
  binaries: () => Promise<SampleBinaries>,
): Promise<Pushed> => {
  const images = await pushSampleImages(registry, await binaries());
  return { images, stepImage: await pushStepImage(`${registry}/kpackless/steps:latest`, await stepImage) };
};

/** Installs kpackless into the cluster and writes its kubeconfig into `home`. @throws PermanentError where it would be somebody else's */
const enter = async (source: AccessSource, home: string, converter?: Converter): Promise<Entered> => {
  mkdirSync(join(home, 'logs'), { recursive: true });
  const kubeconfig = join(home, 'kpackless.kubeconfig');
  const transport = followedTransport({ source });
  try {
    const kube = kubeClient(transport);
    const refusal = await whyNotInstall(kube);
    if (refusal !== undefined) throw new PermanentError('Refused', refusal);
    const support = await askSupport(transport);
    if (!support.isSupported) throw new PermanentError('Refused', support.why);
    await install(kube, { tenantEverywhere: true, converter });
    await writeOwnKubeconfig(kube, addressOf((await source.read({ anew: false })).config), kubeconfig);
    return { transport, kube, kubeconfig, home };
  } catch (error) {
    transport.close();
    throw error;
  }
};

/** A cluster of this machine: what the registry and the API server need to get is done while the node comes up. */
const ownTarget = async (stateDir: string, preparations: Preparations, report: Report): Promise<Target> => {
  const registryWork = Promise.withResolvers<Pushed>();
  const apiServerWork = Promise.withResolvers<Entered>();
  const cluster = await startCluster({
    stateDir,
    report,
    whenUp: {
      registry: async ({ registry, binaries, gitRoot }) => {
        const [pushed] = await Promise.all([push(registry, preparations, async () => binaries), commitSample(gitRoot)]);
        registryWork.resolve(pushed);
      },
      apiServer: async ({ kubeconfigPath }) =>
        apiServerWork.resolve(await enter(kubeconfigAccess(kubeconfigPath), stateDir, onLoopback)),
    },
  }).catch((error: unknown) => {
    // Whatever was done in between ends with it.
    void apiServerWork.promise.then(({ transport }) => transport.close());
    throw error;
  });
  const [pushed, entered, program] = await Promise.all([
    registryWork.promise,
    apiServerWork.promise,
    preparations.program,
  ]);
  return { ...pushed, ...entered, program, cluster, registry: cluster.registry, name: 'local' };
};

/** A cluster that is there already: nothing is pushed before it is known that kpackless may be installed. */
const givenTarget = async (
  { kubeconfig, context, registry }: NonNullable<StartOptions['target']>,
  stateDir: string,
  preparations: Preparations,
  report: Report,
): Promise<Target> => {
  const config = kubeconfigFile(kubeconfig, context);
  const name = config
    .getCurrentContext()
    .replaceAll(/[^A-Za-z0-9._-]/g, '-')
    .slice(0, 100);
  const entered = await enter(kubeconfigAccess(kubeconfig, context), join(stateDir, 'clusters', name));
  try {
    const pushed = await push(registry, preparations, () => ensureBinaries({ cacheDir: defaultCacheDir(), report }));
    return { ...pushed, ...entered, program: await preparations.program, cluster: undefined, registry, name };
  } catch (error) {
    entered.transport.close();
    throw error;
  }
};

const bringUp = async (
  options: StartOptions,
  stateDir: string,
  screen: Screen,
  stopped: AbortSignal,
  undo: (() => Promise<void>)[],
  stop: () => Promise<void>,
): Promise<Running> => {
  const checkpoint = (): void => {
    if (stopped.aborted) throw new PermanentError('Stopped', 'stopped before everything was up');
  };
  screen.line(
    options.target === undefined
      ? 'kpackless brings up a Kubernetes of its own here, installs itself and builds a sample image: under a minute, or about eight the first time.'
      : 'kpackless installs itself into the given cluster and builds a sample image there: under a minute, or three the first time.',
  );
  const target = await screen.step(
    options.target === undefined
      ? 'Kubernetes, registry and git server on this machine, with images, definitions and permissions'
      : 'definitions, permissions and images in the given cluster',
    async (report) => {
      if (options.target === undefined) await ensurePackages(report);
      const preparations = prepare(stateDir, report);
      return options.target === undefined
        ? ownTarget(stateDir, preparations, report)
        : givenTarget(options.target, stateDir, preparations, report);
    },
  );
  undo.push(async () => {
    target.transport.close();
    await target.cluster?.stop({ keepState: true });
  });
  checkpoint();
  const own = await addressesOf([target.registry, ...(target.cluster === undefined ? [] : [target.cluster.gitHost])]);
  screen.line(egressSaid(own));
  if (target.cluster === undefined)
    screen.line(
      'this process does not convert v1alpha1, as that API server does not reach it; `kp … --wait` needs somebody who does (docs/conversion.md)',
    );
  const standalone = await screen.step('queues, table, relay and handlers in a process of their own', async () =>
    startStandaloneProcess(
      {
        databaseFile: join(target.home, 'kpackless.sqlite'),
        cluster: target.name,
        registration: { access: 'kubeconfig', path: target.kubeconfig, grants: options.grants },
        settings: {
          KPACKLESS_STEP_IMAGE: target.stepImage,
          KPACKLESS_EGRESS_ALLOW: egressAllow(process.env['KPACKLESS_EGRESS_ALLOW'], own),
        },
        logFile: join(target.home, 'logs', 'kpackless.log'),
        healthPort,
        ...(target.cluster === undefined ? {} : { conversionPort }),
        // Without a secret every hook would be refused: then nobody listens either.
        ...(process.env['KPACKLESS_HOOK_SECRET'] ? { hookPort } : {}),
      },
      { program: target.program },
    ),
  );
  undo.push(() => standalone.stop());
  checkpoint();
  await screen.step('sample objects', (report) => applySample(target, report));
  const { kube, transport, cluster, images, registry } = target;
  return { kube, transport, cluster, standalone, images, registry, hints: hintsFor(target), stop };
};

const applySample = async (target: Target, report: Report): Promise<void> => {
  const { kube, registry, images, cluster } = target;
  if ((await kube.get({ kind: 'Image', namespace: sampleNamespace, name: sampleName })) !== undefined) {
    report('there from an earlier start: left as they are');
    return;
  }
  const objects = sampleObjects({
    registry,
    images,
    source: await sampleSource(target),
    cacheSize: cluster === undefined ? undefined : '100Mi',
  });
  for (const object of objects) await kube.apply(builtAtOnce(object));
};

/** The sample's source, unless an earlier start made it: what people have pushed since stays. */
const commitSample = async (gitRoot: string): Promise<void> => {
  const sample = { gitRoot, repository: sampleName };
  if (!(await hasBranch(sample)))
    await commitFiles({ ...sample, files: sampleFiles, message: 'sample', at: new Date() });
};

const sampleSource = async ({ cluster, registry }: Target) => {
  if (cluster === undefined) return { registry: { image: await pushSourceImage(registry, sampleFiles) } };
  return { git: { url: `http://${cluster.gitHost}/${sampleName}.git`, revision: 'main' } };
};

const hintsFor = ({ cluster }: Target): readonly string[] =>
  cluster === undefined
    ? []
    : [
        `export KUBECONFIG=${cluster.kubeconfigPath}`,
        `${cluster.kubectlPath} get images,builds,pods -n sample`,
        `git clone http://${cluster.gitHost}/${sampleName}.git   # commit and push: it is built again`,
      ];
