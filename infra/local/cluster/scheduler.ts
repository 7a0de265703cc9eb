import type { ProcessSpec } from './process.ts';

export const schedulerProcess = (command: string, kubeconfig: string): ProcessSpec => ({
  name: 'kube-scheduler',
  command,
  args: [
    `--kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
    '--secure-port=0',
    '--kube-api-qps=200',
    '--kube-api-burst=400',
  ],
  patience: 1_000,
});
