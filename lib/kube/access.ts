/**
 * How to enter an API server, as its source says at the moment: a kubeconfig, a pod's own ServiceAccount, a registration. Sources change under
 * us, so each is read again and again; what was read is whole, with no file or program left to ask (DESIGN §3.34).
 */
import { createHash } from 'node:crypto';
import { KubeConfig } from '@kubernetes/client-node';

/** A way in. */
export interface Access {
  readonly config: KubeConfig;
  /** The same for the same address, certificates and credential, and for nothing else. It gives none of them away. */
  readonly mark: string;
}

/** How it is read. */
export interface Reading {
  /** What was found before was refused: nothing that is remembered is good enough. */
  readonly anew: boolean;
}

/** Where a way in comes from. */
export interface AccessSource {
  /** Cheap enough for every few seconds. @throws ExpectedError, PermanentError that says what is missing */
  read(how: Reading): Promise<Access>;
}

/** Where and whom to trust: what client-node calls a cluster. */
export type Server = NonNullable<ReturnType<KubeConfig['getCurrentCluster']>>;
/** Who we are there. */
export type User = NonNullable<ReturnType<KubeConfig['getCurrentUser']>>;

/** The mark of a way in: a hash, as it goes into comparisons and perhaps into logs. */
export const markOf = (...parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('base64url');

/** Both as a way in. */
export const accessTo = (server: Server, user: User): Access => {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [server],
    users: [user],
    contexts: [{ name: 'context', cluster: server.name, user: user.name }],
    currentContext: 'context',
  });
  return { config, mark: markOf(server, user) };
};
