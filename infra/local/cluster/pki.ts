import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { run } from './command.ts';

/** A certificate and its key, as files. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** Everybody who proves who they are in the cluster. */
export interface Pki {
  readonly ca: KeyPair;
  readonly etcd: KeyPair;
  readonly apiserver: KeyPair;
  /** cluster-admin, for the developer and for kpackless itself. */
  readonly admin: KeyPair;
  readonly controllerManager: KeyPair;
  readonly scheduler: KeyPair;
  readonly kubelet: KeyPair;
  /** Signs ServiceAccount tokens. */
  readonly serviceAccounts: { readonly privateKey: string; readonly publicKey: string };
}

interface Subject {
  readonly name: string;
  readonly subject: string;
  /** Names and addresses it serves under; absent for clients. */
  readonly serves?: readonly string[];
}

const LOCAL_NAMES = ['IP:127.0.0.1', 'DNS:localhost'];
const API_NAMES = ['IP:10.0.0.1', 'DNS:kubernetes', 'DNS:kubernetes.default', 'DNS:kubernetes.default.svc'];
const DAYS = '3650';

/** Makes the keys that are missing in `dir`. They are kept for the cluster's life: etcd's content is bound to them. */
export const ensurePki = async (dir: string, nodeName: string): Promise<Pki> => {
  const ca = keyPair(dir, 'ca');
  if (!existsSync(ca.cert)) {
    await makeKey(ca.key);
    await run('openssl', [
      'req',
      '-x509',
      '-new',
      '-key',
      ca.key,
      '-out',
      ca.cert,
      '-days',
      DAYS,
      '-subj',
      '/CN=kpackless-local',
    ]);
  }
  const sign = (subject: Subject): Promise<KeyPair> => certificate(dir, ca, subject);
  return {
    ca,
    etcd: await sign({ name: 'etcd', subject: '/CN=etcd', serves: LOCAL_NAMES }),
    apiserver: await sign({ name: 'apiserver', subject: '/CN=kube-apiserver', serves: [...LOCAL_NAMES, ...API_NAMES] }),
    admin: await sign({ name: 'admin', subject: '/O=system:masters/CN=admin' }),
    controllerManager: await sign({ name: 'controller-manager', subject: '/CN=system:kube-controller-manager' }),
    scheduler: await sign({ name: 'scheduler', subject: '/CN=system:kube-scheduler' }),
    kubelet: await sign({ name: 'kubelet', subject: `/O=system:nodes/CN=system:node:${nodeName}` }),
    serviceAccounts: await serviceAccountKeys(dir),
  };
};

const keyPair = (dir: string, name: string): KeyPair => ({
  cert: join(dir, `${name}.crt`),
  key: join(dir, `${name}.key`),
});

const makeKey = (path: string): Promise<string> =>
  run('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', path]);

const certificate = async (dir: string, ca: KeyPair, { name, subject, serves }: Subject): Promise<KeyPair> => {
  const pair = keyPair(dir, name);
  if (existsSync(pair.cert)) return pair;
  const extensions = join(dir, `${name}.ext`);
  const request = join(dir, `${name}.csr`);
  writeFileSync(
    extensions,
    [
      'basicConstraints=critical,CA:FALSE',
      'keyUsage=critical,digitalSignature',
      `extendedKeyUsage=clientAuth${serves === undefined ? '' : ',serverAuth'}`,
      ...(serves === undefined ? [] : [`subjectAltName=${serves.join(',')}`]),
    ].join('\n'),
  );
  await makeKey(pair.key);
  await run('openssl', ['req', '-new', '-key', pair.key, '-subj', subject, '-out', request]);
  const signer = ['-CA', ca.cert, '-CAkey', ca.key, '-CAcreateserial', '-days', DAYS, '-extfile', extensions];
  await run('openssl', ['x509', '-req', '-in', request, ...signer, '-out', pair.cert]);
  return pair;
};

const serviceAccountKeys = async (dir: string): Promise<Pki['serviceAccounts']> => {
  const keys = { privateKey: join(dir, 'service-accounts.key'), publicKey: join(dir, 'service-accounts.pub') };
  if (!existsSync(keys.publicKey)) {
    await makeKey(keys.privateKey);
    await run('openssl', ['pkey', '-in', keys.privateKey, '-pubout', '-out', keys.publicKey]);
  }
  return keys;
};
