import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { run } from './command.ts';
import { cniConfDir } from './network.ts';
import { whichProgram } from './packages.ts';
import type { ProcessSpec } from './process.ts';
import type { StateLayout } from './state.ts';

/** The image every pod's first container is made from; built here and loaded, never pulled. */
export const PAUSE_IMAGE = 'kpackless.local/pause:1';

export const containerdSocket = (layout: StateLayout): string => join(layout.run, 'containerd.sock');

/** A container runtime of our own beside whatever else the machine runs: own root, state and socket. */
export const containerdProcess = (layout: StateLayout, plainHttpHosts: readonly string[]): ProcessSpec => {
  const config = join(layout.conf, 'containerd.toml');
  const hosts = join(layout.conf, 'registry-hosts');
  for (const host of plainHttpHosts) writeHost(hosts, host);
  writeFileSync(config, containerdConfig(layout, hosts));
  return {
    name: 'containerd',
    command: whichProgram('containerd') ?? 'containerd',
    args: ['--config', config],
    env: { CONTAINERD_NAMESPACE: 'k8s.io' },
  };
};

/** `restrict_oom_score_adj`: without the right to lower it, a pod would not start. Network namespaces under our own folder go with it. */
export const containerdConfig = (layout: StateLayout, registryHosts: string): string => `version = 2
root = "${layout.containerd}"
state = "${join(layout.run, 'containerd')}"
disabled_plugins = ["io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "${containerdSocket(layout)}"
[plugins."io.containerd.internal.v1.opt"]
  path = "${join(layout.containerd, 'opt')}"
[plugins."io.containerd.grpc.v1.cri"]
  restrict_oom_score_adj = true
  sandbox_image = "${PAUSE_IMAGE}"
  disable_tcp_service = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        Root = "${join(layout.run, 'runc')}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${cniConfDir(layout)}"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "${registryHosts}"
`;

/** Registries on the bridge speak plain http. */
const writeHost = (dir: string, host: string): void => {
  mkdirSync(join(dir, host), { recursive: true });
  const url = `http://${host}`;
  writeFileSync(
    join(dir, host, 'hosts.toml'),
    `server = "${url}"\n[host."${url}"]\n  capabilities = ["pull", "resolve"]\n`,
  );
};

/** `ctr` on the cluster's own containerd, in the namespace that kubelet uses. */
export const ctr = (layout: StateLayout, args: readonly string[]): Promise<string> =>
  run(whichProgram('ctr') ?? 'ctr', ['--address', containerdSocket(layout), '--namespace', 'k8s.io', ...args]);
