/** Registry clients with the credentials of ServiceAccounts (spec 04 §10). Secrets are read in each pass and kept by nobody. */
import { PermanentError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/object.ts';
import type { RegistryOptions } from '../oci/api.ts';
import { openRegistry } from '../oci/client.ts';
import { type CredentialSecret, keychainFromSecrets } from '../oci/credentials.ts';
import { anonymous, firstOf, type Keychain } from '../oci/keychain.ts';
import type { Registry } from '../oci/registry.ts';
import { createSession } from '../oci/session.ts';
import { mapBounded } from './bounded.ts';
import type { Account } from './offers.ts';

type NamedRefs = readonly { readonly name?: string | undefined }[] | undefined;

interface ServiceAccount extends KubeObject {
  readonly secrets?: NamedRefs;
  readonly imagePullSecrets?: NamedRefs;
}

const secretsAtOnce = 4;
/** More is a mistake, and each costs a request. */
const mostSecrets = 100;

const readSecrets = async (
  kube: KubeClient,
  namespace: string,
  refs: NamedRefs,
): Promise<{ readonly found: readonly CredentialSecret[]; readonly missing: readonly string[] }> => {
  const names = [...new Set((refs ?? []).flatMap(({ name }) => (name ? [name] : [])))];
  if (names.length > mostSecrets)
    throw new PermanentError(
      'ReconcileFailed',
      `an account of namespace ${namespace} lists ${names.length} Secrets, of which at most ${mostSecrets} are read`,
    );
  const read = await mapBounded(names, secretsAtOnce, (name) =>
    kube.get<CredentialSecret & KubeObject>({ kind: 'Secret', namespace, name }),
  );
  return {
    found: read.flatMap((secret) => secret ?? []),
    missing: names.filter((_, index) => read[index] === undefined),
  };
};

/** What an account's Secrets come to. */
interface AccountCredentials {
  readonly keychain: Keychain;
  /** What is missing of them, as a sentence; told when a registry asks for a credential that is not there. */
  readonly missing: string | undefined;
}

/**
 * The credentials of an account: its Secrets and pull secrets; missing ones are passed over, as is a missing account. Without a namespace
 * there are none. Throws KubeError when they cannot be read, CredentialError for a Secret that is malformed.
 */
export const accountCredentials = async (
  kube: KubeClient,
  { namespace, serviceAccount, imagePullSecrets: explicit = [] }: Account,
): Promise<AccountCredentials> => {
  if (namespace === '') return { keychain: anonymous, missing: 'no ServiceAccount is named' };
  const name = serviceAccount || 'default';
  const account = await kube.get<ServiceAccount>({ kind: 'ServiceAccount', namespace, name });
  const [accountSecrets, pullSecrets] = await Promise.all([
    readSecrets(kube, namespace, account?.secrets),
    readSecrets(kube, namespace, [
      ...explicit.map((secret) => ({ name: secret })),
      ...(account?.imagePullSecrets ?? []),
    ]),
  ]);
  const gone = [...accountSecrets.missing, ...pullSecrets.missing].map((secret) => `${namespace}/${secret}`);
  const missing = [
    ...(account === undefined ? [`ServiceAccount ${namespace}/${name} does not exist`] : []),
    ...(gone.length === 0 ? [] : [`of its Secrets there is no ${gone.join(', ')}`]),
  ].join('; ');
  return {
    keychain: keychainFromSecrets({ accountSecrets: accountSecrets.found, pullSecrets: pullSecrets.found }),
    missing: missing === '' ? undefined : missing,
  };
};

/**
 * Opens registries for accounts. `keychainFor` the cluster (cloud identity, mounted config) answers where an account's Secrets are silent. Within one
 * pass, known by its client, an account's Secrets are read once.
 */
export const accountRegistries = (
  options: Omit<RegistryOptions, 'keychain'>,
  keychainFor: (kube: KubeClient) => Keychain = () => anonymous,
): ((kube: KubeClient, account: Account) => Promise<Registry>) => {
  const shared = { ...options, session: options.session ?? createSession() };
  const passes = new WeakMap<KubeClient, Map<string, Promise<Registry>>>();
  return (kube, account) => {
    const opened = passes.get(kube) ?? new Map<string, Promise<Registry>>();
    passes.set(kube, opened);
    const key = [account.namespace, account.serviceAccount, ...(account.imagePullSecrets ?? [])].join('/');
    const open = async (): Promise<Registry> => {
      const { keychain, missing } = await accountCredentials(kube, account);
      return openRegistry({ ...shared, keychain: firstOf(keychain, keychainFor(kube)), anonymousBecause: missing });
    };
    const registry = opened.get(key) ?? open();
    opened.set(key, registry);
    return registry;
  };
};
