/**
 * A real API server on loopback with an etcd of its own and nothing else: no node, no controllers. Up in a few seconds when its
 * programs are compiled already; tests that need it are skipped otherwise, with a printed reason.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { type AdminApi, adminApi } from '../../infra/local/cluster/api.ts';
import { apiserverProcess } from '../../infra/local/cluster/apiserver.ts';
import { binaryPath } from '../../infra/local/cluster/binaries.ts';
import { etcdPorts, etcdProcess, etcdUrl } from '../../infra/local/cluster/etcd.ts';
import { ensurePki, type Pki } from '../../infra/local/cluster/pki.ts';
import { freePort } from '../../infra/local/cluster/ports.ts';
import { type RunningProcess, startProcess } from '../../infra/local/cluster/process.ts';
import { PROGRAMS } from '../../infra/local/cluster/programs.ts';
import { silent } from '../../infra/local/cluster/report.ts';
import { createLayout, defaultCacheDir, type StateLayout, stateLayout } from '../../infra/local/cluster/state.ts';
import { waitUntil } from '../../infra/local/cluster/wait.ts';

const compiled = (name: 'etcd' | 'kube-apiserver'): string => {
  const program = PROGRAMS.find((candidate) => candidate.name === name);
  if (program === undefined) throw new Error(`${name} is not among the programs of the local cluster`);
  return binaryPath(defaultCacheDir(), program);
};

/** Whether a start would find its programs; says so once when it would not. */
export const apiServerIsHere = existsSync(compiled('etcd')) && existsSync(compiled('kube-apiserver'));
if (!apiServerIsHere)
  console.log('API server tests skipped: etcd and kube-apiserver are not compiled yet (a first npm start does it)');

/** A running API server; `stop` leaves nothing behind. */
export interface ApiServer {
  readonly url: string;
  readonly api: AdminApi;
  /** Its files; every request is in `layout.auditLog`. */
  readonly layout: StateLayout;
  readonly pki: Pki;
  /** Its administrator's way in, for lib/kube. */
  readonly config: KubeConfig;
  /** Stops the API server and starts it again, after `awaySeconds` in which nobody listens; its etcd stays. */
  restart(awaySeconds?: number): Promise<void>;
  stop(): Promise<void>;
}

/** How it is started. */
export interface ApiServerOptions {
  /**
   * The Kubernetes it is to behave as, `1.31`: its own without, or what the environment says in KPACKLESS_TEST_KUBERNETES, by which every suite of
   * this kind runs against an older one.
   */
  readonly emulatedVersion?: string | undefined;
  /** A kubeconfig of who knows tokens that this server does not. */
  readonly tokenWebhook?: string | undefined;
  /** Serves MutatingAdmissionPolicy, which servers below 1.36 only do when told, in this version of its API. */
  readonly mutatingPolicies?: 'v1alpha1' | 'v1beta1' | undefined;
}

/** Starts etcd and API server in a folder of their own. Throws ExpectedError with the last words of what did not come up. */
export const startApiServer = async ({
  emulatedVersion = process.env['KPACKLESS_TEST_KUBERNETES'],
  tokenWebhook,
  mutatingPolicies,
}: ApiServerOptions = {}): Promise<ApiServer> => {
  const root = mkdtempSync(join(tmpdir(), 'kpackless-api-'));
  const layout = stateLayout(root);
  const running: RunningProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const process of running.reverse()) await process.stop();
    rmSync(root, { recursive: true, force: true });
  };
  try {
    createLayout(layout);
    const pki = await ensurePki(layout.pki, 'none');
    const ports = await etcdPorts();
    running.push(startProcess(layout, etcdProcess(compiled('etcd'), layout, pki, ports), silent));
    const port = await freePort(0);
    const command = compiled('kube-apiserver');
    const server = apiserverProcess({
      command,
      layout,
      pki,
      etcdUrl: etcdUrl(ports),
      port,
      emulatedVersion,
      tokenWebhook,
      mutatingPolicies,
    });
    const first = startProcess(layout, server, silent);
    running.push(first);
    const url = `https://127.0.0.1:${port}`;
    const api = adminApi(url, pki);
    const ready = async (): Promise<boolean> => {
      await api.send('GET', '/readyz');
      await api.send('GET', '/api/v1/namespaces/default');
      return true;
    };
    const check = (): void => {
      for (const process of running) process.assertRunning();
    };
    await waitUntil(ready, { what: 'the API server', timeout: 60_000, check });
    const config = new KubeConfig();
    config.loadFromOptions({
      clusters: [{ name: 'cluster', server: url, caFile: pki.ca.cert, skipTLSVerify: false }],
      users: [{ name: 'admin', certFile: pki.admin.cert, keyFile: pki.admin.key }],
      contexts: [{ name: 'context', cluster: 'cluster', user: 'admin' }],
      currentContext: 'context',
    });
    let current = first;
    return {
      url,
      api,
      config,
      restart: async (awaySeconds = 0) => {
        await current.stop();
        running.splice(running.indexOf(current), 1);
        await sleep(awaySeconds * 1000);
        current = startProcess(layout, server, silent);
        running.push(current);
        await waitUntil(ready, { what: 'the API server', timeout: 60_000, check });
      },
      layout,
      pki,
      stop: async () => {
        api.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
};
