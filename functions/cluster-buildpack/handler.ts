/** Wakes ClusterBuildpacks. */
import { reconcileClusterBuildpack } from '../../lib/buildpackages/reconcile.ts';
import { reconcileHandler } from '../reconcile-handler.ts';
import { registryPorts } from '../registry-ports.ts';

export const handler = reconcileHandler((ports) => reconcileClusterBuildpack(registryPorts(ports)));
