/** For whom and for what a registry is opened: what grants of a registration are given to (DESIGN §3.25). */
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/object.ts';
import { resourceOf } from '../kube/resources.ts';
import type { Access, CredentialSource } from '../oci/keychain.ts';
import type { Registry } from '../oci/registry.ts';
import type { Account } from './offers.ts';

/**
 * The object whose pass it is, as grants know it: one of a namespace, or one of a kind without namespaces. Not whose Secrets are used: a
 * ClusterBuilder whose account lies in a namespace is cluster-scoped, and a Builder that reads what a ClusterStore offers is not.
 */
export type Behalf = { readonly namespace: string } | 'cluster-scoped';

/** On whose behalf an object of the kind is reconciled. A namespaced one without a namespace is nobody's. */
export const behalfOf = (kind: string, namespace: string | undefined): Behalf =>
  resourceOf(kind).namespaced ? { namespace: namespace ?? '' } : 'cluster-scoped';

/** Whose credentials are used, and for which object. */
export interface Acting extends Account {
  readonly behalf: Behalf;
}

/** How a client is opened. One is opened for each side of a copy: what it may do is said here and nowhere else. */
export interface Opening {
  readonly behalf: Behalf;
  /** A client for reading can write nothing. */
  readonly access: Access;
}

/** Opens a client with the credentials of an account and those granted; without a namespace the account has none. @throws KubeError, CredentialError */
export type OpenRegistry = (kube: KubeClient, account: Account, opening: Opening) => Promise<Registry>;

/** A ServiceAccount as it was read in this pass; no object when there is none of that name. */
export interface NamedAccount {
  readonly namespace: string;
  readonly name: string;
  readonly object: KubeObject | undefined;
}

/** Where credentials are looked for, in this order, when the account's Secrets hold none. Without an account only what is granted counts. */
export type CloudCredentials = (
  kube: KubeClient,
  account: NamedAccount | undefined,
  behalf: Behalf,
) => readonly CredentialSource[];
