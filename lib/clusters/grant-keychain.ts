/** Credentials of the installation at ECR, for whom the registration of a cluster grants them, and for nobody else (DESIGN §3.25). */
import type { Behalf } from '../buildpacks/opening.ts';
import { ecrKeychain, ecrRegistryOf, type GetEcrToken } from '../oci/ecr.ts';
import type { AwsIdentity } from '../oci/ecr-token.ts';
import type { CredentialSource, Keychain } from '../oci/keychain.ts';
import { printRepository } from '../oci/reference.ts';
import type { RegistryGrant } from '../state/clusters.ts';
import { assumedRole } from './assumed-role.ts';
import { grantFor, grantsAt } from './grants.ts';

/** How AWS is asked. */
export interface AwsAccess {
  /** The function's own identity. */
  readonly own: AwsIdentity;
  readonly tokenAs: (identity: AwsIdentity) => GetEcrToken;
  /** The platform's own unless a test gives another. */
  readonly fetch?: typeof globalThis.fetch;
}

/** The credentials that grants come to for one object. */
export type GrantedCredentials = (grants: readonly RegistryGrant[], behalf: Behalf) => CredentialSource;

/** Only operators write registrations, so roles are few; a bound all the same. */
const mostRoles = 200;

const namesOf = (behalf: Behalf): { readonly who: string; readonly words: string } =>
  behalf === 'cluster-scoped'
    ? { who: 'kinds without a namespace', words: 'cluster-scoped' }
    : { who: `namespace ${behalf.namespace}`, words: `namespaces=${behalf.namespace}` };

/** Makes sources of credentials from grants. Tokens are kept by identity and region for the life of the process. */
export const grantedCredentials = ({ own, tokenAs, fetch }: AwsAccess): GrantedCredentials => {
  const asFunction = ecrKeychain(tokenAs(own));
  const asRoles = new Map<string, Keychain>();
  const asRole = (roleArn: string): Keychain => {
    const known = asRoles.get(roleArn);
    if (known !== undefined) return known;
    const keychain = ecrKeychain((registry) =>
      tokenAs(
        assumedRole({ roleArn, region: registry.region, credentials: own, ...(fetch !== undefined && { fetch }) }),
      )(registry),
    );
    const [oldest] = asRoles.keys();
    if (asRoles.size >= mostRoles && oldest !== undefined) asRoles.delete(oldest);
    asRoles.set(roleArn, keychain);
    return keychain;
  };
  return (grants, behalf) => ({
    keychain: async (repository, use) => {
      const grant = grantFor(grants, behalf, repository, use);
      if (grant === undefined) return undefined;
      return (grant.roleArn === undefined ? asFunction : asRole(grant.roleArn))(repository, use);
    },
    missing: (repository, { access }) => {
      if (ecrRegistryOf(repository.registry) === undefined) return undefined;
      const { who, words } = namesOf(behalf);
      const only = access === 'write' && grantsAt(grants, behalf, repository).length > 0 ? 'only reading' : 'nothing';
      return `the cluster’s registration grants ${who} ${only} there (kpackless cluster add … --grant '${access} ${printRepository(repository)} ${words}')`;
    },
  });
};
