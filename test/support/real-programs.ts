/**
 * Before suites that want real servers: installs their packages and compiles what the user's cache lacks, minutes the first time and nothing later. Where no
 * cluster can run nothing is compiled, and who needs it is skipped with the reason.
 */
import { ensureBinaries } from '../../infra/local/cluster/binaries.ts';
import { type DebianPackage, ensurePackages, whyNoLocalCluster } from '../../infra/local/cluster/packages.ts';
import { defaultCacheDir } from '../../infra/local/cluster/state.ts';

const report = (line: string): void => void process.stderr.write(`tests: ${line}\n`);

/** Real programs that suites hold ours against. */
const oracles: readonly DebianPackage[] = [
  ['openssh-server', 'sshd'],
  ['openssh-client', 'ssh-keygen'],
  ['putty-tools', 'puttygen'],
  ['git-lfs', 'git-lfs'],
  ['nginx-light', 'nginx'],
  ['default-jdk-headless', 'javac'],
  ['maven', 'mvn'],
  ['skopeo', 'skopeo'],
  ['python3', '/usr/bin/python3'],
  ['libarchive-tools', 'bsdtar'],
  ['zip', 'zip'],
  ['unzip', 'unzip'],
  ['xz-utils', 'xz'],
  ['bzip2', 'bzip2'],
  ['zstd', 'zstd'],
  ['nginx-light', 'nginx'],
];

/** Called once by vitest, before the first worker. */
export const setup = async (): Promise<void> => {
  if (whyNoLocalCluster() !== undefined) return;
  await ensurePackages(report, oracles);
  await ensureBinaries({ cacheDir: defaultCacheDir(), report });
};
