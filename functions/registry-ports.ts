/** How functions reach registries: one session and one cache of digests a process. */
import { accountRegistries } from '../lib/buildpacks/account-registry.ts';
import { configCache } from '../lib/buildpacks/fetch-image.ts';
import { createSession } from '../lib/oci/session.ts';

/** Seconds between two looks at the tags that stores, stacks, lifecycles and buildpacks name. */
const tagPollSeconds = 300;

/** What every reconciler that reads images is wired with. */
export const registryPorts = () => ({
  registryFor: accountRegistries({ session: createSession() }),
  configs: configCache(),
  pollSeconds: tagPollSeconds,
});
