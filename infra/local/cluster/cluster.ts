import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { imageArchive } from '../images/archive.ts';
import { pauseImage } from '../images/pause.ts';
import { type AdminApi, adminApi } from './api.ts';
import { apiserverProcess } from './apiserver.ts';
import { type Binaries, ensureBinaries } from './binaries.ts';
import { createCgroup } from './cgroups.ts';
import { containerdProcess, ctr, PAUSE_IMAGE } from './containerd.ts';
import { controllerManagerProcess } from './controller-manager.ts';
import { etcdPorts, etcdProcess, etcdUrl } from './etcd.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { kubeletProcess, NODE_NAME } from './kubelet.ts';
import { foreignDirs, removeLeftovers, resetState } from './leftovers.ts';
import { madeByHolder, releaseLock, takeLock } from './lock.ts';
import { addTestHost, createNetwork, type TestHost } from './network.ts';
import { ensurePackages } from './packages.ts';
import { ensurePki, type KeyPair, type Pki } from './pki.ts';
import { freePort } from './ports.ts';
import type { ProcessSpec, RunningProcess } from './process.ts';
import { REGISTRY_PORT, registryProcess } from './registry.ts';
import type { Report } from './report.ts';
import { schedulerProcess } from './scheduler.ts';
import { createLayout, defaultCacheDir, type StateLayout, stateLayout } from './state.ts';
import { Supervisor } from './supervisor.ts';
import { type Provisioner, startProvisioner } from './volumes.ts';
import { waitUntil } from './wait.ts';

export interface ClusterOptions {
  /** Kept between starts; `resetState` forgets it. */
  readonly stateDir: string;
  /** Compiled programs; the user's cache folder when absent. */
  readonly cacheDir?: string;
  readonly report: Report;
  /** What to do as soon as a part answers, while the others come up. The start is over when it is done, and fails with it. */
  readonly whenUp?: {
    readonly registry?: (cluster: Cluster) => Promise<void>;
    readonly apiServer?: (cluster: Cluster) => Promise<void>;
  };
}

/** A host beside the cluster, with programs of its own. */
export interface ClusterHost extends TestHost {
  /** Starts a program on that host; it ends with the cluster at the latest. */
  start(spec: Omit<ProcessSpec, 'netns'>): RunningProcess;
}

/** A running one-node Kubernetes with registry and git server. */
export interface Cluster {
  readonly kubeconfigPath: string;
  readonly kubectlPath: string;
  readonly binaries: Binaries;
  /** `host:port` under which pods and this machine push and pull, over plain http. */
  readonly registry: string;
  /** Address of the git server (http, port 80). */
  readonly gitHost: string;
  /** Folder of the bare repositories that the git server serves; `/<name>.git` is `<gitRoot>/<name>.git`. */
  readonly gitRoot: string;
  readonly registryHost: ClusterHost;
  readonly gitServerHost: ClusterHost;
  /** One line of JSON for each request to the API server. */
  readonly auditLogPath: string;
  /** Ends one program (`kubelet`, `kube-apiserver`, `registry` …) while the rest goes on: for measurements and faults. */
  stopProgram(name: string): Promise<void>;
  /** Starts it again and waits until the API server answers, if that is started too. */
  startProgram(name: string): Promise<void>;
  /** Adds a host to the network, at most 200. */
  addHost(name: string): Promise<ClusterHost>;
  /** Ends everything and leaves nothing on the machine but the state folder; without `keepState` not even that. */
  stop(options?: { readonly keepState?: boolean }): Promise<void>;
}

const GIT_SERVER = join(import.meta.dirname, '..', 'git-server.ts');

/**
 * Starts the local cluster, or takes up the one whose state is in `stateDir`, and waits until its node is ready. What an earlier
 * cluster left behind after a crash is removed first.
 * @throws ExpectedError when the machine lacks something, another local cluster runs, or a program does not come up.
 */
export const startCluster = async (options: ClusterOptions): Promise<Cluster> => {
  const { report } = options;
  await ensurePackages(report);
  const binaries = await ensureBinaries({ cacheDir: options.cacheDir ?? defaultCacheDir(), report });
  const layout = stateLayout(options.stateDir);
  const crashed = takeLock(layout.root, foreignDirs());
  if (crashed !== undefined) await removeLeftovers(stateLayout(crashed.stateDir), []);
  await removeLeftovers(layout, []);
  const start = new ClusterStart(layout, binaries, report);
  try {
    return await start.up(options.whenUp ?? {});
  } catch (error) {
    await start.stop({ keepState: true });
    throw error;
  }
};

/** One start: what runs, so that it can be stopped from any point on. */
class ClusterStart {
  readonly #layout: StateLayout;
  readonly #binaries: Binaries;
  readonly #report: Report;
  readonly #programs: Supervisor;
  #provisioner: Provisioner | undefined;
  #api: AdminApi | undefined;
  #stopped: Promise<void> | undefined;
  /** Number of the last host: .1 is nobody's. */
  #hosts = 1;

  constructor(layout: StateLayout, binaries: Binaries, report: Report) {
    this.#layout = layout;
    this.#binaries = binaries;
    this.#report = report;
    this.#programs = new Supervisor(layout, report);
  }

  async up(whenUp: NonNullable<ClusterOptions['whenUp']>): Promise<Cluster> {
    const layout = this.#layout;
    createLayout(layout);
    createCgroup();
    const pki = await ensurePki(layout.pki, NODE_NAME);
    await createNetwork(layout);
    const registryHost = await this.#addHost('registry');
    const gitHost = await this.#addHost('git');
    const registry = `${registryHost.address}:${REGISTRY_PORT}`;

    this.#programs.run(registryProcess(this.#binaries.registry, layout, registryHost));
    gitHost.start({
      name: 'git-server',
      command: process.execPath,
      args: [GIT_SERVER, '--root', layout.git, '--listen', `${gitHost.address}:80`],
    });
    this.#programs.run(containerdProcess(layout, [registry]));
    const cluster = this.#cluster(registryHost, gitHost);
    await Promise.all([
      this.#listens(`http://${registry}/v2/`, 'the registry').then(() => whenUp.registry?.(cluster)),
      this.#listens(`http://${gitHost.address}/`, 'the git server'),
      Promise.all([this.#controlPlane(pki), this.#runtime()]).then(([server]) =>
        Promise.all([this.#node(pki, server), whenUp.apiServer?.(cluster)]),
      ),
    ]);
    return cluster;
  }

  #cluster(registryHost: ClusterHost, gitHost: ClusterHost): Cluster {
    const layout = this.#layout;
    return {
      kubeconfigPath: layout.kubeconfig,
      kubectlPath: this.#binaries.kubectl,
      binaries: this.#binaries,
      registry: `${registryHost.address}:${REGISTRY_PORT}`,
      gitHost: gitHost.address,
      gitRoot: layout.git,
      registryHost,
      gitServerHost: gitHost,
      auditLogPath: layout.auditLog,
      stopProgram: (name) => this.#programs.stop(name),
      startProgram: async (name) => {
        this.#programs.start(name);
        if (['etcd', 'kube-apiserver'].every((needed) => this.#programs.isStarted(needed))) await this.#answers();
      },
      addHost: (name) => this.#addHost(name),
      stop: (options) => this.stop(options),
    };
  }

  /** In the reverse order of starting, so that nobody reports the loss of what it depends on. */
  stop(options: { readonly keepState?: boolean } = {}): Promise<void> {
    this.#stopped ??= this.#stop(options);
    return this.#stopped;
  }

  async #stop(options: { readonly keepState?: boolean }): Promise<void> {
    this.#provisioner?.stop();
    this.#api?.close();
    await this.#programs.stopAll();
    await removeLeftovers(this.#layout, madeByHolder());
    if (options.keepState !== true) await resetState(this.#layout.root);
    releaseLock();
  }

  async #controlPlane(pki: Pki): Promise<string> {
    const layout = this.#layout;
    const ports = await etcdPorts();
    this.#programs.run(etcdProcess(this.#binaries.etcd, layout, pki, ports));
    const port = await freePort(6443);
    const server = `https://127.0.0.1:${port}`;
    const command = this.#binaries['kube-apiserver'];
    this.#programs.run(apiserverProcess({ command, layout, pki, etcdUrl: etcdUrl(ports), port }));
    writeKubeconfig(layout.kubeconfig, server, pki.ca, pki.admin);

    const api = adminApi(server, pki);
    this.#api = api;
    this.#report('starting the API server');
    await this.#answers();
    const kubeconfig = (name: string, user: KeyPair): string => {
      const path = join(layout.conf, `${name}.kubeconfig`);
      writeKubeconfig(path, server, pki.ca, user);
      return path;
    };
    const controllers = kubeconfig('controller-manager', pki.controllerManager);
    this.#programs.run(controllerManagerProcess(this.#binaries['kube-controller-manager'], layout, pki, controllers));
    this.#programs.run(schedulerProcess(this.#binaries['kube-scheduler'], kubeconfig('scheduler', pki.scheduler)));
    this.#provisioner = await startProvisioner(api, layout.volumes, this.#report);
    return server;
  }

  async #runtime(): Promise<void> {
    await this.#wait('containerd', 60_000, async () => (await ctr(this.#layout, ['version'])) !== '');
    await this.#loadPauseImage();
  }

  async #node(pki: Pki, server: string): Promise<void> {
    const layout = this.#layout;
    const kubeconfig = join(layout.conf, 'kubelet.kubeconfig');
    writeKubeconfig(kubeconfig, server, pki.ca, pki.kubelet);
    const since = Date.now();
    this.#programs.run(kubeletProcess(this.#binaries.kubelet, layout, pki, kubeconfig));
    this.#report(`waiting for node ${NODE_NAME}`);
    await this.#wait('the node', 120_000, async () =>
      isReady(await this.#api?.send('GET', `/api/v1/nodes/${NODE_NAME}`), since),
    );
    await this.#wait('the default ServiceAccount', 60_000, async () => {
      await this.#api?.send('GET', '/api/v1/namespaces/default/serviceaccounts/default');
      return true;
    });
  }

  async #loadPauseImage(): Promise<void> {
    const archive = join(this.#layout.run, 'pause.tar');
    writeFileSync(archive, await imageArchive(await pauseImage('pause:1'), PAUSE_IMAGE));
    await ctr(this.#layout, ['images', 'import', archive]);
    rmSync(archive);
  }

  async #addHost(name: string): Promise<ClusterHost> {
    this.#hosts += 1;
    const host = await addTestHost(name, this.#hosts);
    return { ...host, start: (spec) => this.#programs.run({ ...spec, netns: host.netns }) };
  }

  #answers(): Promise<void> {
    return this.#wait('the API server', 120_000, async () => (await this.#api?.send('GET', '/readyz')) === 'ok');
  }

  #listens(url: string, what: string): Promise<void> {
    return this.#wait(what, 30_000, async () => {
      const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
      await response.arrayBuffer();
      return response.status < 500;
    });
  }

  #wait(what: string, timeout: number, probe: () => Promise<boolean>): Promise<void> {
    return waitUntil(probe, { what, timeout, check: () => this.#programs.assertRunning() });
  }
}

interface NodeStatus {
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly lastHeartbeatTime?: string;
    }[];
  };
}

/** Ready, and said so since kubelet was started: after a restart the last word of the one before is still there. */
const isReady = (node: unknown, since: number): boolean =>
  (node as NodeStatus).status?.conditions?.some(
    ({ type, status, lastHeartbeatTime }) =>
      type === 'Ready' && status === 'True' && Date.parse(lastHeartbeatTime ?? '') >= since - 1_000,
  ) ?? false;
