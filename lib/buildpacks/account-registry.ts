/**
 * Registry clients with the credentials of ServiceAccounts (spec 04 §10). A credential is looked for among the account's Secrets, then with its
 * own cloud identity, then among the grants of the cluster's registration, and nowhere else. Secrets are read in each pass and kept by nobody.
 */
import type { Fetch } from '../egress/fetch.ts';
import { PermanentError } from '../errors/expected.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/object.ts';
import type { RegistryOptions } from '../oci/api.ts';
import { openRegistry } from '../oci/client.ts';
import { type CredentialSecret, keychainFromSecrets, unreadableIn } from '../oci/credentials.ts';
import type { FetchSendOptions } from '../oci/fetch-send.ts';
import { anonymous, type CredentialSource, firstOf } from '../oci/keychain.ts';
import type { Registry } from '../oci/registry.ts';
import { createSession } from '../oci/session.ts';
import { printable } from '../text/printable.ts';
import { mapBounded } from './bounded.ts';
import type { Account } from './offers.ts';
import type { CloudCredentials, NamedAccount, OpenRegistry } from './opening.ts';

type NamedRefs = readonly { readonly name?: string | undefined }[] | undefined;

interface ServiceAccount extends KubeObject {
  readonly secrets?: NamedRefs;
  readonly imagePullSecrets?: NamedRefs;
}

const secretsAtOnce = 4;
/** Of the reasons why there is no credential, for a condition. */
const shownCharacters = 1500;
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

/** What an account's Secrets come to, and the account itself; none when none is named. */
interface AccountCredentials extends CredentialSource {
  readonly account: NamedAccount | undefined;
}

/**
 * The credentials of an account: its Secrets and pull secrets; missing ones are passed over, as is a missing account. Without a namespace
 * there are none. Throws KubeError when they cannot be read. A Secret that is malformed is told of where a credential is missing.
 */
export const accountCredentials = async (
  kube: KubeClient,
  { namespace, serviceAccount, imagePullSecrets: explicit = [] }: Account,
): Promise<AccountCredentials> => {
  if (namespace === '') return { keychain: anonymous, missing: () => 'no ServiceAccount is named', account: undefined };
  const name = serviceAccount || 'default';
  const object = await kube.get<ServiceAccount>({ kind: 'ServiceAccount', namespace, name });
  const [accountSecrets, pullSecrets] = await Promise.all([
    readSecrets(kube, namespace, object?.secrets),
    readSecrets(kube, namespace, [
      ...explicit.map((secret) => ({ name: secret })),
      ...(object?.imagePullSecrets ?? []),
    ]),
  ]);
  const lists = { accountSecrets: accountSecrets.found, pullSecrets: pullSecrets.found };
  const gone = [...accountSecrets.missing, ...pullSecrets.missing].map((secret) => `${namespace}/${secret}`);
  const missing = [
    ...(object === undefined ? [`ServiceAccount ${namespace}/${name} does not exist`] : []),
    ...(gone.length === 0 ? [] : [`of its Secrets there is no ${gone.join(', ')}`]),
    ...unreadableIn(lists),
  ].join('; ');
  return {
    keychain: keychainFromSecrets(lists),
    missing: ({ registry }) =>
      missing === ''
        ? `ServiceAccount ${namespace}/${name} has no Secret for ${registry} (of type kubernetes.io/dockerconfigjson, among its secrets)`
        : missing,
    account: { namespace, name, object },
  };
};

/** How registries are reached; by which fetch is said, since tenants name them. */
export interface AccountRegistryOptions
  extends Omit<RegistryOptions, 'keychain' | 'anonymousBecause' | 'access' | 'reader'> {
  readonly transport: FetchSendOptions & { readonly fetch: Fetch };
}

/** Whoever is the same in all of this may be shown what the other has read. */
const readerOf = ({ cluster = '' }: KubeClient, { account }: AccountCredentials, pullSecrets: readonly string[]) => [
  cluster,
  account?.namespace ?? '',
  account?.name ?? '',
  account?.object?.metadata?.uid ?? '',
  ...pullSecrets,
];

/** Opens registries for accounts. Within one pass, known by its client, an account's Secrets are read once. */
export const accountRegistries = (
  options: AccountRegistryOptions,
  cloud: CloudCredentials = () => [],
): OpenRegistry => {
  const shared = { ...options, session: options.session ?? createSession() };
  interface Pass {
    readonly accounts: Map<string, Promise<AccountCredentials>>;
    readonly clients: Map<string, Promise<Registry>>;
  }
  const passes = new WeakMap<KubeClient, Pass>();
  return (kube, account, { behalf, access }) => {
    const pass: Pass = passes.get(kube) ?? { accounts: new Map(), clients: new Map() };
    passes.set(kube, pass);
    const { namespace, serviceAccount, imagePullSecrets = [] } = account;
    const name = JSON.stringify([namespace, serviceAccount, ...imagePullSecrets]);
    const open = async (): Promise<Registry> => {
      const read = pass.accounts.get(name) ?? accountCredentials(kube, account);
      pass.accounts.set(name, read);
      const own = await read;
      const sources = [own, ...cloud(kube, own.account, behalf)];
      return openRegistry({
        ...shared,
        access,
        keychain: firstOf(...sources.map(({ keychain }) => keychain)),
        anonymousBecause: (repository, use) => {
          const reasons = sources.flatMap(({ missing }) => missing(repository, use) ?? []);
          return printable(reasons.join('; '), shownCharacters);
        },
        reader: JSON.stringify([behalf, readerOf(kube, own, imagePullSecrets)]),
      });
    };
    const key = JSON.stringify([name, behalf, access]);
    const client = pass.clients.get(key) ?? open();
    pass.clients.set(key, client);
    return client;
  };
};
