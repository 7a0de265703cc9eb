/** What Builder and ClusterBuilder are wired with. */
import { blobPlaces } from '../lib/builders/blob-places.ts';
import type { BuilderPorts } from '../lib/builders/reconcile.ts';
import type { Ports } from './ports.ts';
import { registryPorts } from './registry-ports.ts';
import { creatorVersionOf } from './release.ts';

/** Of all builders of a process, of either kind: a layer is sent to a registry once. */
export const places = blobPlaces();

/** The ports, made once a process. */
export const builderPorts = (ports: Ports): BuilderPorts => ({
  ...registryPorts(ports),
  creatorVersion: creatorVersionOf(ports.settings.KPACKLESS_COMMIT),
});
