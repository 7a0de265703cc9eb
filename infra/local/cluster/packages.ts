import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { ExpectedError } from '../../../lib/errors/expected.ts';
import { canMakeCgroups } from './cgroups.ts';
import { run } from './command.ts';
import type { Report } from './report.ts';

/** A Debian package, and a program in PATH or an absolute path that is there when it is installed. */
export type DebianPackage = readonly [name: string, file: string];

/** What the node needs (spec 07 §1). */
const NODE_PACKAGES: readonly DebianPackage[] = [
  ['containerd', 'containerd'],
  ['runc', 'runc'],
  ['containernetworking-plugins', '/usr/lib/cni/bridge'],
  ['iptables', 'iptables'],
  ['conntrack', 'conntrack'],
  ['busybox-static', '/bin/busybox'],
  ['iproute2', 'ip'],
  ['openssl', 'openssl'],
  ['git', 'git'],
];

const SYSTEM_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const INSTALL_DEADLINE_MS = 10 * 60_000;

/** Absolute path of a program, looked for in PATH and in the system's own folders; undefined when there is none. */
export const whichProgram = (name: string): string | undefined => {
  const dirs = [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_PATH].filter((dir) => dir !== '');
  return dirs.map((dir) => join(dir, name)).find(isExecutable);
};

/** Why this machine cannot run the local cluster, as one sentence to show; undefined when it can. Also decides whether e2e tests run. */
export const whyNoLocalCluster = (): string | undefined => {
  if (process.platform !== 'linux')
    return `a local cluster needs Linux; this is ${process.platform}: name a cluster with --context`;
  if (process.getuid?.() !== 0)
    return 'a local cluster needs root (containerd, network namespaces): run as root or name a cluster with --context';
  if (!hasCapabilities(readFileSync('/proc/self/status', 'utf8')) || !canMakeCgroups())
    return 'a local cluster cannot run in this container, which may not make networks, mounts or control groups: run it privileged or name a cluster with --context';
  if (whichProgram('go') === undefined)
    return 'a local cluster is compiled from source: install Go 1.24 or later, or name a cluster with --context';
  const missing = missingOf(NODE_PACKAGES);
  if (missing.length > 0 && whichProgram('apt-get') === undefined)
    return `a local cluster needs ${missing.join(', ')}, and there is no apt-get to install them: install them or name a cluster with --context`;
  return undefined;
};

/**
 * Installs the Debian packages that are missing: those of the node, and `more`.
 * @throws ExpectedError with `whyNoLocalCluster()`'s sentence or with what apt-get said.
 */
export const ensurePackages = async (report: Report, more: readonly DebianPackage[] = []): Promise<void> => {
  const why = whyNoLocalCluster();
  if (why !== undefined) throw new ExpectedError(why, { pace: 'slow' });
  const missing = missingOf([...NODE_PACKAGES, ...more]);
  if (missing.length === 0) return;
  report(`installing ${missing.join(', ')}`);
  try {
    await install(missing);
  } catch {
    await run('apt-get', ['update', '-qq'], { timeout: INSTALL_DEADLINE_MS }); // the package lists may be absent or old
    await install(missing);
  }
};

const install = (names: readonly string[]): Promise<string> =>
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    timeout: INSTALL_DEADLINE_MS,
  });

const missingOf = (packages: readonly DebianPackage[]): readonly string[] =>
  packages
    .filter(([, file]) => !(file.startsWith('/') ? existsSync(file) : whichProgram(file) !== undefined))
    .map(([name]) => name);

/** CAP_NET_ADMIN and CAP_SYS_ADMIN, from the text of `/proc/self/status`: root in a container has neither. */
export const hasCapabilities = (status: string): boolean => {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  return [12n, 21n].every((bit) => ((effective >> bit) & 1n) === 1n);
};

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};
