/** Wakes Images. */
import { imageReconciler } from '../../lib/images/reconcile.ts';
import { announcePorts } from '../announce-ports.ts';
import { reconcileHandler } from '../reconcile-handler.ts';

export const handler = reconcileHandler(
  ({ settings }) => imageReconciler({ priorityClasses: settings.KPACKLESS_PRIORITY_CLASSES }),
  (ports) => announcePorts(ports),
);
