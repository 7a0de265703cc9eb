import { readFileSync, renameSync, writeFileSync } from 'node:fs';

import type { KeyPair } from './pki.ts';

/** What `kubectl` and every client needs to speak as one user; JSON, which is YAML too. Keys are inside: the file is private. */
export const writeKubeconfig = (path: string, server: string, ca: KeyPair, user: KeyPair): void => {
  const base64 = (file: string): string => readFileSync(file).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'kpackless-local',
    clusters: [{ name: 'kpackless-local', cluster: { server, 'certificate-authority-data': base64(ca.cert) } }],
    users: [
      { name: 'user', user: { 'client-certificate-data': base64(user.cert), 'client-key-data': base64(user.key) } },
    ],
    contexts: [{ name: 'kpackless-local', context: { cluster: 'kpackless-local', user: 'user' } }],
  };
  writeFileSync(`${path}.new`, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
};
