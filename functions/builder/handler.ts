/** Wakes Builders. */
import { reconcileBuilder } from '../../lib/builders/reconcile.ts';
import { builderPorts, places } from '../builder-ports.ts';
import { reconcileHandler } from '../reconcile-handler.ts';

export const handler = reconcileHandler((ports) => reconcileBuilder(builderPorts(ports), places));
