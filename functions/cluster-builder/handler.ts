/** Wakes ClusterBuilders. */
import { reconcileClusterBuilder } from '../../lib/builders/reconcile.ts';
import { builderPorts, places } from '../builder-ports.ts';
import { reconcileHandler } from '../reconcile-handler.ts';

export const handler = reconcileHandler((ports) => reconcileClusterBuilder(builderPorts(ports), places));
