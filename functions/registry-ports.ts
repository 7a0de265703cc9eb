/** How functions reach registries: one session and one cache of digests a process. */
import { readFileSync } from 'node:fs';
import { accountRegistries } from '../lib/buildpacks/account-registry.ts';
import { configCache } from '../lib/buildpacks/fetch-image.ts';
import { ecrRoleKeychains } from '../lib/clusters/ecr-roles.ts';
import { ecrKeychain } from '../lib/oci/ecr.ts';
import { ecrTokenAs, getEcrToken, ownAwsIdentity } from '../lib/oci/ecr-token.ts';
import { firstOf } from '../lib/oci/keychain.ts';
import { createSession } from '../lib/oci/session.ts';
import { type EgressSettings, registryFetch } from './egress.ts';
import type { Settings } from './settings.ts';

/** Seconds between two looks at the tags that stores, stacks, lifecycles and buildpacks name. */
const tagPollSeconds = 300;

/** The certificates of a file of the operator's, trusted for registries beside the usual ones. @throws Error that names the setting */
const certificatesIn = (file: string): string => {
  const pem = readFileSync(file, 'utf8');
  if (!pem.includes('-----BEGIN CERTIFICATE-----'))
    throw new Error(`KPACKLESS_REGISTRY_CA_FILE: ${file} holds no certificate in PEM form`);
  return pem;
};

const ownEcr = ecrKeychain(getEcrToken);
const asRole = ecrRoleKeychains({ own: ownAwsIdentity, tokenAs: ecrTokenAs });

/**
 * What every reconciler that reads images is wired with. Where Secrets are silent ECR is entered as the role that the cluster's registration
 * names for the host's account, else with the function's own AWS identity.
 * @throws Error when the file of certificates cannot be read or holds none
 */
export const registryPorts = ({
  KPACKLESS_REGISTRY_CA_FILE: caFile,
  ...settings
}: EgressSettings & Pick<Settings, 'KPACKLESS_REGISTRY_CA_FILE'>) => ({
  registryFor: accountRegistries(
    {
      session: createSession(),
      transport: { fetch: registryFetch(settings, { ca: caFile === '' ? undefined : certificatesIn(caFile) }) },
    },
    ({ ecrRoles = [] }) => firstOf(asRole(ecrRoles), ownEcr),
  ),
  configs: configCache(),
  pollSeconds: tagPollSeconds,
});
