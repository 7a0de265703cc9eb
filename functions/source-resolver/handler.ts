/** Wakes SourceResolvers. */
import { sourceResolverReconciler } from '../../lib/sources/reconcile.ts';
import { gitPorts } from '../git-ports.ts';
import { reconcileHandler } from '../reconcile-handler.ts';

export const handler = reconcileHandler((ports) => sourceResolverReconciler(gitPorts(ports)));
