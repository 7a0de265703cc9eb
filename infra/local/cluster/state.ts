import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Everything a local cluster keeps, in one folder. `run` and `logs` live as long as a start; the rest (etcd's data, keys, registry
 * content, volumes, images) survives a stop, so that the next start goes on where this one ended.
 */
export interface StateLayout {
  readonly root: string;
  /** Sockets, pid files, mounts: emptied by every start and stop. */
  readonly run: string;
  readonly pids: string;
  readonly logs: string;
  readonly pki: string;
  readonly etcd: string;
  readonly registry: string;
  readonly git: string;
  readonly volumes: string;
  readonly containerd: string;
  readonly kubelet: string;
  readonly conf: string;
  readonly kubeconfig: string;
  readonly auditLog: string;
  /** What `status` reads; there only while the cluster is up. */
  readonly info: string;
}

/** Where things are within a state folder. */
export const stateLayout = (root: string): StateLayout => ({
  root,
  run: join(root, 'run'),
  pids: join(root, 'run', 'pids'),
  logs: join(root, 'logs'),
  pki: join(root, 'pki'),
  etcd: join(root, 'etcd'),
  registry: join(root, 'registry'),
  git: join(root, 'git'),
  volumes: join(root, 'volumes'),
  containerd: join(root, 'containerd'),
  kubelet: join(root, 'kubelet'),
  conf: join(root, 'conf'),
  kubeconfig: join(root, 'kubeconfig'),
  auditLog: join(root, 'logs', 'audit.log'),
  info: join(root, 'cluster.json'),
});

/** The developer's own cluster: `$XDG_STATE_HOME/kpackless`, or `~/.local/state/kpackless`. */
export const defaultStateDir = (env: NodeJS.ProcessEnv = process.env): string =>
  join(env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'kpackless');

/** Where compiled programs are kept for all checkouts: `$XDG_CACHE_HOME/kpackless`, or `~/.cache/kpackless`. */
export const defaultCacheDir = (env: NodeJS.ProcessEnv = process.env): string =>
  join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'kpackless');

/** Makes the folders, private to their owner except those that containers look into. */
export const createLayout = (layout: StateLayout): void => {
  for (const dir of [layout.pki, layout.etcd, layout.conf]) mkdirSync(dir, { recursive: true, mode: 0o700 });
  for (const dir of [
    layout.pids,
    layout.logs,
    layout.registry,
    layout.git,
    layout.volumes,
    layout.containerd,
    layout.kubelet,
  ])
    mkdirSync(dir, { recursive: true, mode: 0o755 });
};
