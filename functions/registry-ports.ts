/** How functions reach registries: one session and one cache of digests a process. */
import { readFileSync } from 'node:fs';
import { accountRegistries } from '../lib/buildpacks/account-registry.ts';
import { configCache } from '../lib/buildpacks/fetch-image.ts';
import { cloudCredentials } from '../lib/clusters/cloud-credentials.ts';
import { countedFetch } from '../lib/egress/counted-fetch.ts';
import type { Metrics } from '../lib/metrics/metrics.ts';
import { ecrTokenAs, ownAwsIdentity } from '../lib/oci/ecr-token.ts';
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

const cloud = cloudCredentials({ own: ownAwsIdentity, tokenAs: ecrTokenAs });

/**
 * What every reconciler that reads images is wired with. Where Secrets are silent ECR is entered with the account's own role, then with what the
 * cluster's registration grants; nobody else's identity is used.
 * @throws Error when the file of certificates cannot be read or holds none
 */
export const registryPorts = ({
  settings: { KPACKLESS_REGISTRY_CA_FILE: caFile, ...settings },
  metrics,
}: {
  readonly settings: EgressSettings & Pick<Settings, 'KPACKLESS_REGISTRY_CA_FILE'>;
  readonly metrics: Pick<Metrics, 'add'>;
}) => {
  const fetch = registryFetch(settings, { ca: caFile === '' ? undefined : certificatesIn(caFile) });
  const counted = countedFetch(fetch, (method, status) =>
    metrics.add('RegistryRequests', { method, status: String(status) }),
  );
  return {
    registryFor: accountRegistries({ session: createSession(), transport: { fetch: counted } }, cloud),
    configs: configCache(),
    pollSeconds: tagPollSeconds,
  };
};
