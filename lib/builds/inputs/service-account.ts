/** What a ServiceAccount says about Secrets (spec 03 §1.1, §1.2). */
import type { Secret, ServiceAccount } from 'kubernetes-types/core/v1.d.ts';
import { PermanentError } from '../../errors/expected.ts';
import type { BuildSecret } from '../pod/context.ts';

/** More is a mistake: each costs a request, and a volume in the pod. */
const mostSecrets = 100;

const names = (references: readonly { readonly name?: string }[] | undefined, invalid: string): readonly string[] => {
  const found = new Set<string>();
  for (const { name } of references ?? []) {
    if (name === undefined || name === '') throw new PermanentError('', invalid);
    found.add(name);
  }
  if (found.size > mostSecrets)
    throw new PermanentError(
      '',
      `ServiceAccount lists ${found.size} Secrets, of which at most ${mostSecrets} are read`,
    );
  return [...found];
};

/** Names in its `secrets`, in order, each once. Throws PermanentError for an entry without a name. */
export const secretNames = ({ secrets }: ServiceAccount): readonly string[] =>
  names(secrets, 'ServiceAccount has invalid Secret reference');

/** Names in its `imagePullSecrets` that are not among its `secrets`. Throws PermanentError for an entry without a name. */
export const pullSecretNames = (account: ServiceAccount): readonly string[] => {
  const credentials = new Set(secretNames(account));
  return names(account.imagePullSecrets, 'ServiceAccount has invalid ImagePullSecret reference').filter(
    (name) => !credentials.has(name),
  );
};

/** Names that no binding may use: what any account of the namespace works with. */
export const forbiddenSecrets = (accounts: readonly ServiceAccount[]): ReadonlySet<string> =>
  new Set(
    accounts.flatMap(({ secrets = [], imagePullSecrets = [] }) =>
      [...secrets, ...imagePullSecrets].flatMap(({ name }) => name ?? []),
    ),
  );

/** Types whose content opens a cluster, whoever lists it. */
const credentialTypes: ReadonlySet<string> = new Set([
  'kubernetes.io/service-account-token',
  'bootstrap.kubernetes.io/token',
]);

/** Whether a Secret is a credential by its own words, though no account lists it (yet): of a cluster, or for kpack. */
export const saysItIsCredential = ({ type = '', metadata }: Secret): boolean =>
  credentialTypes.has(type) || Object.keys(metadata?.annotations ?? {}).some((key) => key.startsWith('kpack.io/'));

/** The Secret as the pod sees it; its data goes no further than this. */
export const buildSecretOf = ({ metadata, type, data }: Secret): BuildSecret => ({
  name: metadata?.name ?? '',
  type: type ?? 'Opaque',
  annotations: metadata?.annotations ?? {},
  signsImages: (data?.['cosign.key'] ?? '') !== '',
});
