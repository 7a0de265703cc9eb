/** What a stopped cluster must not leave on the machine. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { run } from '../../infra/local/cluster/command.ts';
import { lockHolder } from '../../infra/local/cluster/lock.ts';
import { BRIDGE } from '../../infra/local/cluster/network.ts';

const commandLine = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
};

/** Processes, mounts, networks, control groups and the lock of the cluster whose state is in `stateDir`: all that is still there. */
export const leftovers = async (stateDir: string): Promise<readonly string[]> => {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && commandLine(name).includes(stateDir));
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(stateDir));
  const namespaces = (await run('ip', ['netns', 'list'])).split('\n').filter((line) => line.startsWith('kpackless-'));
  const interfaces = Object.keys(networkInterfaces()).filter((name) => name === BRIDGE || name.startsWith('kpl'));
  const groups = ['/sys/fs/cgroup/kpackless', '/sys/fs/cgroup/memory/kpackless'].filter((path) => existsSync(path));
  return [
    ...processes.map((pid) => `process ${pid}: ${commandLine(pid).slice(0, 200)}`),
    ...mounts.map((line) => `mount ${line}`),
    ...namespaces.map((line) => `network namespace ${line}`),
    ...interfaces.map((name) => `interface ${name}`),
    ...groups.map((path) => `control group ${path}`),
    ...(lockHolder() === undefined ? [] : ['the lock']),
  ];
};
