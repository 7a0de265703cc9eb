import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { CGROUP } from './cgroups.ts';
import { containerdSocket } from './containerd.ts';
import { BRIDGE_ADDRESS } from './network.ts';
import type { Pki } from './pki.ts';
import type { ProcessSpec } from './process.ts';
import type { StateLayout } from './state.ts';

export const NODE_NAME = 'node1';

/** The node agent. It serves logs on the bridge's address, which only this machine and its pods reach. */
export const kubeletProcess = (command: string, layout: StateLayout, pki: Pki, kubeconfig: string): ProcessSpec => {
  const config = join(layout.conf, 'kubelet.json');
  writeFileSync(config, JSON.stringify(kubeletConfig(layout, pki)));
  return {
    name: 'kubelet',
    command,
    args: [
      `--config=${config}`,
      `--kubeconfig=${kubeconfig}`,
      `--root-dir=${layout.kubelet}`,
      `--cert-dir=${layout.pki}`,
      `--hostname-override=${NODE_NAME}`,
      `--node-ip=${BRIDGE_ADDRESS}`,
    ],
    patience: 2_000,
  };
};

const kubeletConfig = (layout: StateLayout, pki: Pki): object => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  address: BRIDGE_ADDRESS,
  port: 10250,
  healthzPort: 0,
  authentication: { anonymous: { enabled: false }, x509: { clientCAFile: pki.ca.cert }, webhook: { enabled: true } },
  authorization: { mode: 'Webhook' },
  containerRuntimeEndpoint: `unix://${containerdSocket(layout)}`,
  cgroupDriver: 'cgroupfs',
  cgroupRoot: `/${CGROUP}`,
  failCgroupV1: false,
  failSwapOn: false,
  enforceNodeAllocatable: [],
  makeIPTablesUtilChains: false,
  podLogsDir: join(layout.logs, 'pods'),
  volumePluginDir: join(layout.run, 'volume-plugins'),
  maxPods: 250,
  serializeImagePulls: false,
  registryPullQPS: 0,
  kubeAPIQPS: 200,
  kubeAPIBurst: 400,
  // A developer's disk is often nearly full: neither pods nor images go because of it before it is really full.
  evictionHard: {
    'nodefs.available': '1%',
    'imagefs.available': '1%',
    'nodefs.inodesFree': '1%',
    'memory.available': '100Mi',
  },
  imageGCHighThresholdPercent: 100,
  imageGCLowThresholdPercent: 99,
});
