/** Which credential a SourceResolver's ServiceAccount has for a repository (spec 02 §8.6). */
import type { Secret, ServiceAccount } from 'kubernetes-types/core/v1.d.ts';
import { credentialFrom, type GitCredential, matchingSecret } from '../git/credentials.ts';
import type { CredentialOf } from '../git/hop.ts';
import type { GitUrl } from '../git/url.ts';
import type { KubeClient } from '../kube/client.ts';

type Reader = Pick<KubeClient, 'get'>;

/** Secrets of one account we look at; more is a mistake, and each costs a read. */
const MAX_SECRETS = 100;

const secretNamesOf = (account: ServiceAccount | undefined): readonly string[] => {
  const names = (account?.secrets ?? []).map(({ name }) => name ?? '').filter((name) => name !== '');
  return [...new Set(names)].slice(0, MAX_SECRETS);
};

/** The Secrets in an account's `.secrets`, in its order; missing ones and a missing account are passed over. @throws KubeError */
export const accountSecrets = async (
  kube: Reader,
  namespace: string,
  serviceAccount: string | undefined,
): Promise<readonly Secret[]> => {
  if (serviceAccount === undefined || serviceAccount === '') return [];
  const account = await kube.get<ServiceAccount>({ kind: 'ServiceAccount', namespace, name: serviceAccount });
  const secrets = await Promise.all(
    secretNamesOf(account).map((name) => kube.get<Secret>({ kind: 'Secret', namespace, name })),
  );
  return secrets.filter((secret) => secret !== undefined);
};

/**
 * The credentials of a ServiceAccount, by URL: of its `.secrets` only, missing ones passed over, the first match by name. They are read when the
 * first URL is asked for, and once. Undefined, which means anybody, when the account is missing or nothing matches. The function rejects with
 * KubeError when something may not be read, with GitError when the Secret that matches cannot be used.
 */
export const accountCredentials = (
  kube: Reader,
  namespace: string,
  serviceAccount: string | undefined,
): CredentialOf => {
  let read: Promise<readonly Secret[]> | undefined;
  return async (url) => {
    read ??= accountSecrets(kube, namespace, serviceAccount);
    const match = matchingSecret(await read, url);
    return match === undefined ? undefined : credentialFrom(match, url);
  };
};

/** The credential in one Secret whose choice was made before; undefined when the Secret is gone or no longer matches. */
export const namedCredential = async (
  kube: Reader,
  namespace: string,
  secretName: string,
  url: GitUrl,
): Promise<GitCredential | undefined> => {
  const secret = await kube.get<Secret>({ kind: 'Secret', namespace, name: secretName });
  const match = secret === undefined ? undefined : matchingSecret([secret], url);
  return match === undefined ? undefined : credentialFrom(match, url);
};
