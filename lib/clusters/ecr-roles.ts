/**
 * ECR of accounts whose repositories do not let the functions in themselves: the registration of a cluster names a role per account, and only
 * what is done for that cluster is done as that role.
 */
import { ecrKeychain, ecrRegistryOf, type GetEcrToken } from '../oci/ecr.ts';
import type { AwsIdentity } from '../oci/ecr-token.ts';
import type { Keychain } from '../oci/keychain.ts';
import { assumedRole } from './assumed-role.ts';

/** How roles are become and tokens asked for. */
export interface EcrRolesOptions {
  /** Who asks for the role: the function itself. */
  readonly own: AwsIdentity;
  readonly tokenAs: (identity: AwsIdentity) => GetEcrToken;
  /** The platform's own unless a test gives another. */
  readonly fetch?: typeof globalThis.fetch;
}

/** The account a role is in; empty for what is no ARN of a role. */
export const accountOfRole = (roleArn: string): string =>
  /^arn:aws[a-z-]*:iam::(\d{12}):role\/./.exec(roleArn)?.[1] ?? '';

/**
 * Makes the keychain of a cluster from the roles of its registration. It knows the ECR hosts of the roles' accounts and nobody else. Tokens
 * are kept by role and region for the life of the process; a refusal is told as one of the registry, naming role and host.
 */
export const ecrRoleKeychains = ({
  own,
  tokenAs,
  fetch,
}: EcrRolesOptions): ((roleArns: readonly string[]) => Keychain) => {
  const kept = new Map<string, Keychain>();
  const keychainOf = (roleArn: string): Keychain => {
    const known = kept.get(roleArn);
    if (known !== undefined) return known;
    const keychain = ecrKeychain((registry) => {
      const { region } = registry;
      const role = assumedRole({ roleArn, region, credentials: own, ...(fetch !== undefined && { fetch }) });
      return tokenAs(role)(registry);
    });
    kept.set(roleArn, keychain);
    return keychain;
  };
  return (roleArns) => async (repository) => {
    const account = ecrRegistryOf(repository.registry)?.account;
    const role = roleArns.find((arn) => account !== undefined && accountOfRole(arn) === account);
    return role === undefined ? undefined : keychainOf(role)(repository);
  };
};
