/** The cloud identities that stand behind an account's Secrets: its own role, then what the cluster's registration grants (DESIGN §3.25). */
import type { CloudCredentials } from '../buildpacks/opening.ts';
import { accountRoles } from './account-role.ts';
import { type AwsAccess, grantedCredentials } from './grant-keychain.ts';

/** One a process: tokens are kept. No identity of the process is used but by a grant. */
export const cloudCredentials = (aws: AwsAccess): CloudCredentials => {
  const ownRole = accountRoles(aws);
  const granted = grantedCredentials(aws);
  return (kube, account, behalf) => [
    ...(account === undefined ? [] : [ownRole(kube, account)]),
    granted(kube.grants ?? [], behalf),
  ];
};
