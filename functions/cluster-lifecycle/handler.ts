/** Wakes ClusterLifecycles. */
import { reconcileClusterLifecycle } from '../../lib/lifecycles/reconcile.ts';
import { reconcileHandler } from '../reconcile-handler.ts';
import { registryPorts } from '../registry-ports.ts';

export const handler = reconcileHandler((ports) => reconcileClusterLifecycle(registryPorts(ports)));
