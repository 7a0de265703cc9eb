/** Wakes everybody who depends on an object that has changed. */
import { setTimeout } from 'node:timers/promises';
import { dependentsRunner } from '../../lib/dependents/tell-dependents.ts';
import { dependentsRow } from '../../lib/reconcile/kind-table.ts';
import { ports } from '../ports.ts';
import { queueHandler } from '../reconcile-handler.ts';

export const handler = queueHandler(
  dependentsRow.kind,
  dependentsRunner({ ...ports, pause: (milliseconds) => setTimeout(milliseconds) }),
  ports,
);
