/** Wakes SourceResolvers. */
import { blobProber } from '../../lib/sources/probe-blob.ts';
import { sourceResolverReconciler } from '../../lib/sources/reconcile.ts';
import { blobFetch } from '../egress.ts';
import { gitPorts } from '../git-ports.ts';
import { reconcileHandler } from '../reconcile-handler.ts';
import { registryPorts } from '../registry-ports.ts';

export const handler = reconcileHandler((ports) =>
  sourceResolverReconciler({
    ...gitPorts(ports),
    registryFor: registryPorts(ports).registryFor,
    probeBlob: blobProber(blobFetch(ports.settings)),
  }),
);
