import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { BRIDGE_ADDRESS } from './network.ts';
import type { Pki } from './pki.ts';
import type { ProcessSpec } from './process.ts';
import type { StateLayout } from './state.ts';

/** Every request with client, verb, object and microseconds: what measurements are taken from (spec 07 §2). */
const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
};

export interface ApiserverOptions {
  readonly command: string;
  readonly layout: StateLayout;
  readonly pki: Pki;
  readonly etcdUrl: string;
  readonly port: number;
  /** An older Kubernetes that it is to behave as, `1.31`. */
  readonly emulatedVersion?: string | undefined;
  /** A kubeconfig of whoever knows the tokens that the API server itself does not (Kubernetes, "Webhook Token Authentication"). */
  readonly tokenWebhook?: string | undefined;
  /** A version of admissionregistration.k8s.io below v1 that is served as well, with its MutatingAdmissionPolicy. */
  readonly mutatingPolicies?: 'v1alpha1' | 'v1beta1' | undefined;
}

/** The API server on loopback, with the admission plugins and authorizers a production cluster has. */
export const apiserverProcess = ({
  command,
  layout,
  pki,
  etcdUrl,
  port,
  emulatedVersion,
  tokenWebhook,
  mutatingPolicies,
}: ApiserverOptions): ProcessSpec => {
  const auditPolicy = join(layout.conf, 'audit-policy.json');
  writeFileSync(auditPolicy, JSON.stringify(AUDIT_POLICY));
  return {
    name: 'kube-apiserver',
    command,
    args: [
      `--etcd-servers=${etcdUrl}`,
      `--etcd-cafile=${pki.ca.cert}`,
      `--etcd-certfile=${pki.etcd.cert}`,
      `--etcd-keyfile=${pki.etcd.key}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--advertise-address=${BRIDGE_ADDRESS}`, // loopback is refused, though nobody asks for it
      '--endpoint-reconciler-type=none', // no kube-proxy: the `kubernetes` Service leads nowhere
      `--cert-dir=${layout.run}`,
      `--tls-cert-file=${pki.apiserver.cert}`,
      `--tls-private-key-file=${pki.apiserver.key}`,
      `--client-ca-file=${pki.ca.cert}`,
      '--authorization-mode=Node,RBAC',
      '--enable-admission-plugins=NodeRestriction',
      '--allow-privileged=true',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${pki.serviceAccounts.publicKey}`,
      `--service-account-signing-key-file=${pki.serviceAccounts.privateKey}`,
      '--service-cluster-ip-range=10.0.0.0/24',
      `--kubelet-client-certificate=${pki.admin.cert}`,
      `--kubelet-client-key=${pki.admin.key}`,
      '--kubelet-preferred-address-types=InternalIP',
      `--audit-policy-file=${auditPolicy}`,
      `--audit-log-path=${layout.auditLog}`,
      '--audit-log-maxsize=512',
      '--audit-log-maxbackup=2',
      ...(emulatedVersion === undefined ? [] : [`--emulated-version=${emulatedVersion}`]),
      ...(tokenWebhook === undefined ? [] : [`--authentication-token-webhook-config-file=${tokenWebhook}`]),
      ...(mutatingPolicies === undefined
        ? []
        : [
            '--feature-gates=MutatingAdmissionPolicy=true',
            `--runtime-config=admissionregistration.k8s.io/${mutatingPolicies}=true`,
          ]),
    ],
  };
};
