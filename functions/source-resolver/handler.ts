/** Wakes SourceResolvers. */
import { blobProber } from '../../lib/sources/probe-blob.ts';
import { sourceResolverReconciler } from '../../lib/sources/reconcile.ts';
import { gitPorts } from '../git-ports.ts';
import { reconcileHandler } from '../reconcile-handler.ts';
import { registryPorts } from '../registry-ports.ts';

export const handler = reconcileHandler((ports) =>
  sourceResolverReconciler({
    ...gitPorts(ports),
    registryFor: registryPorts(ports.settings).registryFor,
    // Lambda's own interface listens on loopback: nobody's URL may lead there.
    probeBlob: blobProber({ allowLoopback: process.env['AWS_LAMBDA_RUNTIME_API'] === undefined }),
  }),
);
