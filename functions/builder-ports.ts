/** What Builder and ClusterBuilder are wired with. */
import type { BuilderPorts } from '../lib/builders/reconcile.ts';
import { registryPorts } from './registry-ports.ts';

/** Written into every builder: the release that made it. */
const creatorVersion = 'v0.1.0';

/** The ports, made once a process. */
export const builderPorts = (): BuilderPorts => ({ ...registryPorts(), creatorVersion });
