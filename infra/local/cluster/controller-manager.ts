import { join } from 'node:path';

import type { Pki } from './pki.ts';
import type { ProcessSpec } from './process.ts';
import type { StateLayout } from './state.ts';

/** Garbage collection, ServiceAccounts, volume binding. Its client limits are raised so that measurements do not measure them. */
export const controllerManagerProcess = (
  command: string,
  layout: StateLayout,
  pki: Pki,
  kubeconfig: string,
): ProcessSpec => ({
  name: 'kube-controller-manager',
  command,
  args: [
    `--kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
    '--secure-port=0',
    '--use-service-account-credentials', // each controller has a role of its own; the manager itself may do next to nothing
    `--service-account-private-key-file=${pki.serviceAccounts.privateKey}`,
    `--root-ca-file=${pki.ca.cert}`,
    `--flex-volume-plugin-dir=${join(layout.run, 'volume-plugins')}`,
    '--kube-api-qps=200',
    '--kube-api-burst=400',
  ],
  patience: 1_000,
});
