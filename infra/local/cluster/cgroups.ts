import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The control group all pods of the local cluster live in: whatever runs in it is a pod's and goes when the cluster goes. */
export const CGROUP = 'kpackless';

const CGROUP_ROOT = '/sys/fs/cgroup';

/** Folders of `kpackless`, one for each hierarchy (version 1) or just one (version 2). */
const groupDirs = (): readonly string[] => {
  if (existsSync(join(CGROUP_ROOT, 'cgroup.controllers'))) return [join(CGROUP_ROOT, CGROUP)];
  const hierarchies = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => line.split(' ')[4])
    .filter((point): point is string => point !== undefined);
  return hierarchies.map((point) => join(point, CGROUP));
};

/** Whether groups can be made here; in most containers they cannot. */
export const canMakeCgroups = (): boolean => {
  try {
    const dirs = groupDirs();
    for (const dir of dirs) accessSync(dirname(dir), constants.W_OK);
    return dirs.length > 0;
  } catch {
    return false;
  }
};

/** Makes the group; kubelet refuses a root that is not there. */
export const createCgroup = (): void => {
  for (const dir of groupDirs()) mkdirSync(dir, { recursive: true });
  const available = join(CGROUP_ROOT, 'cgroup.controllers');
  if (existsSync(available))
    for (const name of readFileSync(available, 'utf8').split(/\s+/).filter(Boolean)) passDown(name);
};

/** Version 2 only: kubelet wants every controller of the root in its own group too. */
const passDown = (controller: string): void => {
  try {
    writeFileSync(join(CGROUP_ROOT, 'cgroup.subtree_control'), `+${controller}`);
  } catch {
    // some cannot be passed down here; kubelet names what it misses
  }
};

/** Kills every process of every pod and removes the group with all below it. */
export const removeCgroup = async (): Promise<void> => {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const groups = groupDirs().flatMap(withChildren);
    const pids = new Set(groups.flatMap(processesOf));
    for (const pid of pids) killQuietly(pid);
    const left = groups.filter((dir) => !removed(dir)).length;
    if (left === 0) return;
    await sleep(100); // a killed process leaves its group a moment later
  }
};

/** A group and all groups below it, children before parents. */
const withChildren = (dir: string): readonly string[] => {
  if (!existsSync(dir)) return [];
  const children = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...children.flatMap((entry) => withChildren(join(dir, entry.name))), dir];
};

const processesOf = (dir: string): readonly number[] => {
  try {
    return readFileSync(join(dir, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
};

const removed = (dir: string): boolean => {
  try {
    rmdirSync(dir);
  } catch {
    return !existsSync(dir);
  }
  return true;
};

const killQuietly = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone meanwhile
  }
};
