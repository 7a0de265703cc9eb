import type { Pki } from './pki.ts';
import { freePort } from './ports.ts';
import type { ProcessSpec } from './process.ts';
import type { StateLayout } from './state.ts';

/** A one-member etcd on loopback; only holders of a certificate of ours get in. */
export const etcdProcess = (command: string, layout: StateLayout, pki: Pki, ports: EtcdPorts): ProcessSpec => ({
  name: 'etcd',
  command,
  args: [
    '--name=local',
    `--data-dir=${layout.etcd}`,
    `--listen-client-urls=${etcdUrl(ports)}`,
    `--advertise-client-urls=${etcdUrl(ports)}`,
    `--listen-peer-urls=https://127.0.0.1:${ports.peer}`,
    `--initial-advertise-peer-urls=https://127.0.0.1:${ports.peer}`,
    `--initial-cluster=local=https://127.0.0.1:${ports.peer}`,
    `--cert-file=${pki.etcd.cert}`,
    `--key-file=${pki.etcd.key}`,
    `--trusted-ca-file=${pki.ca.cert}`,
    '--client-cert-auth',
    `--peer-cert-file=${pki.etcd.cert}`,
    `--peer-key-file=${pki.etcd.key}`,
    `--peer-trusted-ca-file=${pki.ca.cert}`,
    '--peer-client-cert-auth',
    '--quota-backend-bytes=4294967296',
    '--log-level=warn',
  ],
});

export interface EtcdPorts {
  readonly client: number;
  readonly peer: number;
}

export const etcdUrl = (ports: EtcdPorts): string => `https://127.0.0.1:${ports.client}`;

export const etcdPorts = async (): Promise<EtcdPorts> => {
  const client = await freePort(23790);
  return { client, peer: await freePort(client + 1) };
};
