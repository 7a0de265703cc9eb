/** Brings everything up in order, and down again in reverse order from wherever it was. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PermanentError } from '../../lib/errors/expected.ts';
import { type KubeClient, kubeClient } from '../../lib/kube/client.ts';
import type { KubeConfig } from '../../lib/kube/kubeconfig.ts';
import { kubeconfigFile } from '../../lib/kube/kubeconfig.ts';
import { type KubeTransport, kubeTransport } from '../../lib/kube/transport.ts';
import { buildStepImage } from '../step-image/build.ts';
import { ensureBinaries } from './cluster/binaries.ts';
import { type Cluster, startCluster } from './cluster/cluster.ts';
import { defaultCacheDir } from './cluster/state.ts';
import { commitFiles } from './git-repository.ts';
import { pushStepImage } from './images/push-step-image.ts';
import { pushSampleImages, type SampleImages } from './images/sample-set.ts';
import { install, whyNotInstall, writeOwnKubeconfig } from './install.ts';
import type { StartOptions } from './options.ts';
import { addressesOf, egressAllow, egressSaid } from './own-hosts.ts';
import { sampleName, sampleNamespace, sampleObjects } from './sample/objects.ts';
import { sampleFiles } from './sample/source.ts';
import { pushSourceImage } from './sample/source-image.ts';
import type { Screen } from './screen.ts';
import { type Standalone, startStandalone } from './standalone/standalone.ts';

/** Everything that runs. */
export interface Running {
  readonly kube: KubeClient;
  readonly transport: KubeTransport;
  readonly cluster: Cluster | undefined;
  readonly standalone: Standalone;
  readonly images: SampleImages;
  readonly registry: string;
  /** What to try next, for people. */
  readonly hints: readonly string[];
  stop(): Promise<void>;
}

/** The cluster to work on. */
interface Target {
  readonly cluster: Cluster | undefined;
  readonly config: KubeConfig;
  readonly registry: string;
  readonly name: string;
}

const healthPort = 8089;
const hookPort = 8090;

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

const targetOf = async (
  options: StartOptions,
  stateDir: string,
  screen: Screen,
  undo: (() => Promise<void>)[],
): Promise<Target> => {
  if (options.target !== undefined) {
    const { kubeconfig, context, registry } = options.target;
    const config = kubeconfigFile(kubeconfig, context);
    return {
      cluster: undefined,
      config,
      registry,
      name: config
        .getCurrentContext()
        .replaceAll(/[^A-Za-z0-9._-]/g, '-')
        .slice(0, 100),
    };
  }
  const cluster = await screen.step(
    'Kubernetes: etcd, API server, node, registry and git server on this machine (seconds; compiled once, about 8 minutes)',
    (report) => startCluster({ stateDir, report }),
  );
  undo.push(() => cluster.stop({ keepState: true }));
  return { cluster, config: kubeconfigFile(cluster.kubeconfigPath), registry: cluster.registry, name: 'local' };
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
      ? 'kpackless brings up a Kubernetes of its own here, installs itself and builds a sample image: under a minute, or about ten the first time.'
      : 'kpackless installs itself into the given cluster and builds a sample image there: under a minute, or three the first time.',
  );
  const target = await targetOf(options, stateDir, screen, undo);
  checkpoint();
  const home = target.cluster === undefined ? join(stateDir, 'clusters', target.name) : stateDir;
  mkdirSync(join(home, 'logs'), { recursive: true });
  const transport = kubeTransport(target.config);
  undo.push(async () => transport.close());
  const kube = kubeClient(transport);
  const refusal = await whyNotInstall(kube);
  if (refusal !== undefined) throw new PermanentError('Refused', refusal);

  const stepImage = await screen.step('image of the build steps (a minute the first time)', async (report) =>
    pushStepImage(`${target.registry}/kpackless/steps:latest`, await buildStepImage({ report })),
  );
  checkpoint();
  const images = await screen.step('sample images: stack, buildpack, lifecycle', async (report) =>
    pushSampleImages(
      target.registry,
      target.cluster?.binaries ?? (await ensureBinaries({ cacheDir: defaultCacheDir(), report })),
    ),
  );
  checkpoint();
  const kubeconfig = join(home, 'kpackless.kubeconfig');
  await screen.step('definitions and permissions', async () => {
    await install(kube, { tenantEverywhere: true });
    await writeOwnKubeconfig(kube, addressOf(target.config), kubeconfig);
  });
  checkpoint();
  const own = await addressesOf([target.registry, ...(target.cluster === undefined ? [] : [target.cluster.gitHost])]);
  screen.line(egressSaid(own));
  const standalone = await screen.step('queues, table, relay and handlers in this process', () =>
    startStandalone({
      databaseFile: join(home, 'kpackless.sqlite'),
      cluster: target.name,
      registration: { access: 'kubeconfig', path: kubeconfig, grants: options.grants },
      settings: {
        KPACKLESS_STEP_IMAGE: stepImage,
        KPACKLESS_EGRESS_ALLOW: egressAllow(process.env['KPACKLESS_EGRESS_ALLOW'], own),
      },
      logFile: join(home, 'logs', 'kpackless.log'),
      healthPort,
      // Without a secret every hook would be refused: then nobody listens either.
      ...(process.env['KPACKLESS_HOOK_SECRET'] ? { hookPort } : {}),
    }),
  );
  undo.push(() => standalone.stop());
  checkpoint();
  await screen.step('sample objects', async (report) => {
    if ((await kube.get({ kind: 'Image', namespace: sampleNamespace, name: sampleName })) !== undefined) {
      report('there from an earlier start: left as they are');
      return;
    }
    for (const object of sampleObjects({
      registry: target.registry,
      images,
      source: await sampleSource(target),
      cacheSize: target.cluster === undefined ? undefined : '100Mi',
    }))
      await kube.apply(object);
  });
  return {
    kube,
    transport,
    cluster: target.cluster,
    standalone,
    images,
    registry: target.registry,
    hints: hintsFor(target),
    stop,
  };
};

const sampleSource = async ({ cluster, registry }: Target) => {
  if (cluster === undefined) return { registry: { image: await pushSourceImage(registry, sampleFiles) } };
  await commitFiles({
    gitRoot: cluster.gitRoot,
    repository: sampleName,
    files: sampleFiles,
    message: 'sample',
    at: new Date(),
  });
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
