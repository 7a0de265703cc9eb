/** How functions reach registries: one session and one cache of digests a process. */
import { accountRegistries } from '../lib/buildpacks/account-registry.ts';
import { configCache } from '../lib/buildpacks/fetch-image.ts';
import { ecrKeychain } from '../lib/oci/ecr.ts';
import { getEcrToken } from '../lib/oci/ecr-token.ts';
import { createSession } from '../lib/oci/session.ts';

/** Seconds between two looks at the tags that stores, stacks, lifecycles and buildpacks name. */
const tagPollSeconds = 300;

/** What every reconciler that reads images is wired with; ECR is entered with the function's own AWS identity where Secrets are silent. */
export const registryPorts = () => ({
  registryFor: accountRegistries({ session: createSession() }, ecrKeychain(getEcrToken)),
  configs: configCache(),
  pollSeconds: tagPollSeconds,
});
