import { existsSync, readdirSync, readFileSync, readlinkSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { removeCgroup } from './cgroups.ts';
import { unmountUnder } from './mounts.ts';
import { removeNetwork } from './network.ts';
import { startTimeOf } from './process.ts';
import { type StateLayout, stateLayout } from './state.ts';

const LOG_LINKS = '/var/log/containers';

/**
 * Folders that kubelet, containerd or ip insist on and that no setting moves. They are removed with the cluster, and only when the
 * cluster made them.
 */
const FIXED_DIRS = [
  '/var/lib/kubelet',
  LOG_LINKS,
  '/var/lib/cni',
  '/run/containerd',
  '/run/netns',
  '/usr/libexec/kubernetes',
];

/** Which of the fixed folders are not there yet: what a later `removeLeftovers` may remove. */
export const foreignDirs = (): readonly string[] => FIXED_DIRS.filter((dir) => !existsSync(dir));

/**
 * Removes all that a cluster of this state folder left on the machine, whether it was stopped, killed or crashed: processes (by pid
 * file and start time, so a reused pid is safe), pods, shims, mounts, network, sockets. What survives a stop is not touched.
 */
export const removeLeftovers = async (layout: StateLayout, made: readonly string[]): Promise<void> => {
  await killPrograms(layout);
  await removeCgroup();
  await unmountUnder(layout.root);
  removeShimSockets(layout);
  removeLogLinks(layout);
  await removeNetwork();
  rmSync(layout.run, { recursive: true, force: true });
  rmSync(layout.info, { force: true });
  for (const dir of made) await removeMade(dir);
};

/**
 * Forgets a cluster that runs no more altogether: objects, registry content, volumes, keys. One that was killed has programs and
 * mounts left, without whose end its folder cannot be removed; what else it left on the machine the next start removes.
 */
export const resetState = async (stateDir: string): Promise<void> => {
  const layout = stateLayout(stateDir);
  await killPrograms(layout);
  await unmountUnder(layout.root);
  rmSync(layout.root, { recursive: true, force: true });
};

const killPrograms = async (layout: StateLayout): Promise<void> => {
  await killRecorded(layout);
  await killShims(layout);
};

const killRecorded = async (layout: StateLayout): Promise<void> => {
  if (!existsSync(layout.pids)) return;
  for (const file of readdirSync(layout.pids)) {
    const { pid, startTime } = JSON.parse(readFileSync(join(layout.pids, file), 'utf8')) as {
      pid: number;
      startTime?: string;
    };
    if (startTime !== undefined && startTimeOf(pid) === startTime) await kill(pid);
  }
};

/** Shims are nobody's children on purpose; each carries the socket of its containerd on its command line. */
const killShims = async (layout: StateLayout): Promise<void> => {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const args = commandLine(Number(entry));
    const ours = args.some((arg) => arg.startsWith(`${layout.run}/`) || arg.startsWith(`${layout.root}/`));
    if (ours && args[0]?.includes('containerd-shim') === true) await kill(Number(entry));
  }
};

const commandLine = (pid: number): readonly string[] => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
};

const kill = async (pid: number): Promise<void> => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    return;
  }
  for (let look = 0; look < 50 && startTimeOf(pid) !== undefined; look += 1) await sleep(50);
};

/** containerd puts its shims' sockets into one folder of the machine whatever its own state folder is; each bundle notes its own. */
const removeShimSockets = (layout: StateLayout): void => {
  const bundles = join(layout.run, 'containerd', 'io.containerd.runtime.v2.task', 'k8s.io');
  if (!existsSync(bundles)) return;
  for (const id of readdirSync(bundles)) {
    const address = join(bundles, id, 'address');
    if (existsSync(address)) rmSync(readFileSync(address, 'utf8').replace(/^unix:\/\//, ''), { force: true });
  }
};

/** Removes a folder the cluster made, unless something in it is somebody else's by now. */
const removeMade = async (dir: string): Promise<void> => {
  if (!existsSync(dir)) return;
  if (dir === '/run/netns') {
    if (readdirSync(dir).length > 0) return;
    await unmountUnder(dir);
  }
  if (dir === '/var/lib/kubelet' || dir === '/var/lib/cni' || dir === '/usr/libexec/kubernetes')
    rmSync(dir, { recursive: true, force: true });
  else removeEmpty(dir);
};

const removeEmpty = (dir: string): void => {
  for (const entry of readdirSync(dir, { withFileTypes: true }))
    if (entry.isDirectory()) removeEmpty(join(dir, entry.name));
  if (readdirSync(dir).length === 0) rmdirSync(dir);
};

/** kubelet links each log from a folder of the machine; the links into our state folder are ours. */
const removeLogLinks = (layout: StateLayout): void => {
  if (!existsSync(LOG_LINKS)) return;
  for (const entry of readdirSync(LOG_LINKS, { withFileTypes: true })) {
    const path = join(LOG_LINKS, entry.name);
    if (entry.isSymbolicLink() && readlinkSync(path).startsWith(`${layout.root}/`)) rmSync(path);
  }
};
