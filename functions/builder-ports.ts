/** What Builder and ClusterBuilder are wired with. */
import type { BuilderPorts } from '../lib/builders/reconcile.ts';
import { registryPorts } from './registry-ports.ts';
import { creatorVersionOf } from './release.ts';
import type { Settings } from './settings.ts';

/** The ports, made once a process. */
export const builderPorts = (settings: Settings): BuilderPorts => ({
  ...registryPorts(settings),
  creatorVersion: creatorVersionOf(settings.KPACKLESS_COMMIT),
});
