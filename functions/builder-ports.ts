/** What Builder and ClusterBuilder are wired with. */
import { blobPlaces } from '../lib/builders/blob-places.ts';
import type { BuilderPorts } from '../lib/builders/reconcile.ts';
import { registryPorts } from './registry-ports.ts';
import { creatorVersionOf } from './release.ts';
import type { Settings } from './settings.ts';

/** Of all builders of a process, of either kind: a layer is sent to a registry once. */
export const places = blobPlaces();

/** The ports, made once a process. */
export const builderPorts = (settings: Settings): BuilderPorts => ({
  ...registryPorts(settings),
  creatorVersion: creatorVersionOf(settings.KPACKLESS_COMMIT),
});
