/** Wakes ClusterStacks. */
import { reconcileClusterStack } from '../../lib/stacks/reconcile.ts';
import { reconcileHandler } from '../reconcile-handler.ts';
import { registryPorts } from '../registry-ports.ts';

export const handler = reconcileHandler((ports) => reconcileClusterStack(registryPorts(ports)));
