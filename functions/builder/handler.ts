/** Wakes Builders. */
import { reconcileBuilder } from '../../lib/builders/reconcile.ts';
import { builderPorts, places } from '../builder-ports.ts';
import { reconcileHandler } from '../reconcile-handler.ts';

export const handler = reconcileHandler(({ settings }) => reconcileBuilder(builderPorts(settings), places));
