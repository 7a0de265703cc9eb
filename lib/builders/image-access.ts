/** Reading images for a builder. */

import type { ConfigCache } from '../buildpacks/fetch-image.ts';
import type { Account } from '../buildpacks/offers.ts';
import type { Registry } from '../oci/registry.ts';
/** How images are read: with whose credentials, and what is known already. */
export interface ImageAccess {
  /** Opens a client for reading with the credentials of whom an image belongs to. */
  readonly registryFor: (owner: Account) => Promise<Registry>;
  readonly configs: ConfigCache;
  readonly signal: AbortSignal;
}
