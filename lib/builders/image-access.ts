/** Reading images for a builder. */

import type { ConfigCache } from '../buildpacks/fetch-image.ts';
import type { Account } from '../buildpacks/offers.ts';
import type { Registry } from '../oci/registry.ts';
/** How images are read: with whose credentials, and what is known already. */
export interface ImageAccess {
  readonly registryFor: (account: Account) => Promise<Registry>;
  readonly configs: ConfigCache;
  readonly signal: AbortSignal;
}
