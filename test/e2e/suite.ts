/** What all stories share: one real cluster with kpackless on it, brought up once and taken down without a trace. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, startCluster } from '../../infra/local/cluster/cluster.ts';
import { resetState } from '../../infra/local/cluster/leftovers.ts';
import { lockHolder } from '../../infra/local/cluster/lock.ts';
import { HOSTS_RANGE } from '../../infra/local/cluster/network.ts';
import { freePort } from '../../infra/local/cluster/ports.ts';
import { pushStepImage } from '../../infra/local/images/push-step-image.ts';
import { pushSampleImages, type SampleImages } from '../../infra/local/images/sample-set.ts';
import { install, writeOwnKubeconfig } from '../../infra/local/install.ts';
import { type Standalone, startStandalone } from '../../infra/standalone/standalone.ts';
import { buildStepImage } from '../../infra/step-image/build.ts';
import { conversionPath } from '../../lib/conversion/path.ts';
import { type KubeClient, kubeClient } from '../../lib/kube/client.ts';
import { kubeconfigFile } from '../../lib/kube/kubeconfig.ts';
import { type KubeTransport, kubeTransport } from '../../lib/kube/transport.ts';
import { openRegistry } from '../../lib/oci/client.ts';
import type { Registry } from '../../lib/oci/registry.ts';
import { type FakeS3, fakeIdentity, fakeRegion, fakeS3 } from '../support/fake-s3.ts';
import { laggingTable } from '../support/lagging-table.ts';
import { writingDown } from './sent.ts';
import { waitFor } from './wait.ts';

/** The running cluster and what looks into it. Reads and writes are the administrator's; kpackless has its own identity. */
export interface Suite {
  readonly stateDir: string;
  readonly cluster: Cluster;
  readonly kube: KubeClient;
  readonly transport: KubeTransport;
  /** `host:port` of the open registry. */
  readonly registry: string;
  readonly content: Registry;
  readonly images: SampleImages;
  readonly stepImage: string;
  /** kubeconfig of ServiceAccount kpack/kpackless. */
  readonly ownKubeconfig: string;
  readonly standalone: Standalone;
  /** What push hooks are signed with. */
  readonly hookSecret: string;
  /** Where the logs of builds are kept. */
  readonly logStore: FakeS3;
  /** Where kpackless logs. */
  readonly logFile: string;
  /** Every message so far, as it was sent. */
  readonly sent: readonly string[];
  /** Ends kpackless alone; doing it again changes nothing. */
  stopStandalone(): Promise<void>;
  /** Ends everything; doing it again changes nothing. */
  stop(): Promise<void>;
}

/** Not the developer's own cluster: what happens here must not touch its state. */
const stateDir = join(tmpdir(), 'kpackless-e2e');
/** The index sees the world of that long ago. */
const indexLagMilliseconds = 300;
const gitPollSeconds = 3;
/** As many as the story with the most Images has at once in a namespace; the story of the cap has one more. */
export const buildsPerNamespace = 10;

const say = (line: string): void => void process.stderr.write(`e2e: ${line}\n`);

/** One local cluster runs on a machine at a time; somebody else's is waited for. */
const waitForTheMachine = async (): Promise<void> => {
  const holder = lockHolder();
  if (holder?.alive !== true) return;
  say(`waiting for the local cluster of process ${holder.pid} to end`);
  await waitFor(() => lockHolder()?.alive !== true, { what: 'the other local cluster to end', seconds: 600 });
};

const once = (work: () => Promise<void>): (() => Promise<void>) => {
  let done: Promise<void> | undefined;
  return () => (done ??= work());
};

/** Brings everything up from nothing. */
export const startSuite = async (): Promise<Suite> => {
  await waitForTheMachine();
  await resetState(stateDir);
  const cluster = await startCluster({ stateDir, report: () => undefined });
  try {
    return await startOn(cluster);
  } catch (error) {
    await cluster.stop({ keepState: true });
    throw error;
  }
};

const startOn = async (cluster: Cluster): Promise<Suite> => {
  const config = kubeconfigFile(cluster.kubeconfigPath);
  const transport = kubeTransport(config);
  const kube = kubeClient(transport);
  const { registry } = cluster;
  const conversionPort = await freePort(0);
  const converter = { url: `https://127.0.0.1:${conversionPort}${conversionPath}` };
  const [stepImage, images] = await Promise.all([
    buildStepImage().then((image) => pushStepImage(`${registry}/kpackless/steps:latest`, image)),
    pushSampleImages(registry, cluster.binaries),
    install(kube, { tenantEverywhere: true, converter }),
  ]);
  const ownKubeconfig = join(stateDir, 'kpackless.kubeconfig');
  const server = config.getCurrentCluster();
  await writeOwnKubeconfig(kube, { server: server?.server ?? '', caData: server?.caData ?? '' }, ownKubeconfig);
  const logFile = join(stateDir, 'logs', 'kpackless.log');
  mkdirSync(join(stateDir, 'logs'), { recursive: true });
  const hookSecret = randomBytes(16).toString('hex');
  const logStore = await fakeS3();
  const sent: string[] = [];
  const standalone = await startStandalone({
    cluster: 'local',
    registration: { access: 'kubeconfig', path: ownKubeconfig },
    settings: {
      KPACKLESS_STEP_IMAGE: stepImage,
      KPACKLESS_GIT_POLL_SECONDS: String(gitPollSeconds),
      KPACKLESS_EGRESS_ALLOW: HOSTS_RANGE,
      KPACKLESS_HOOK_SECRET: hookSecret,
      KPACKLESS_MAX_BUILDS_PER_NAMESPACE: String(buildsPerNamespace),
      KPACKLESS_SLSA_ATTESTATION: 'true',
      KPACKLESS_BUILD_LOG_ARCHIVE: `${logStore.origin}/logs/e2e`,
      AWS_REGION: fakeRegion,
      AWS_ACCESS_KEY_ID: fakeIdentity.accessKeyId,
      AWS_SECRET_ACCESS_KEY: fakeIdentity.secretAccessKey,
      AWS_SESSION_TOKEN: fakeIdentity.sessionToken,
    },
    logFile,
    healthPort: 0,
    hookPort: 0,
    conversionPort,
    between: (adapters) =>
      writingDown({ ...adapters, table: laggingTable(adapters.table, indexLagMilliseconds) }, sent),
  });
  const stopStandalone = once(() => standalone.stop());
  return {
    stateDir,
    cluster,
    kube,
    transport,
    registry,
    content: openRegistry(),
    images,
    stepImage,
    ownKubeconfig,
    standalone,
    hookSecret,
    logStore,
    logFile,
    sent,
    stopStandalone,
    stop: once(async () => {
      await stopStandalone();
      await logStore[Symbol.asyncDispose]();
      transport.close();
      await cluster.stop({ keepState: true });
    }),
  };
};

/** Removes what a stopped suite keeps for looking into. */
export const forgetSuite = (): Promise<void> => resetState(stateDir);
