/** Wakes ClusterStores. */
import { reconcileClusterStore } from '../../lib/stores/reconcile.ts';
import { reconcileHandler } from '../reconcile-handler.ts';
import { registryPorts } from '../registry-ports.ts';

export const handler = reconcileHandler((ports) => reconcileClusterStore(registryPorts(ports)));
