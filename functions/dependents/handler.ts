/** Wakes everybody who depends on an object that has changed. */
import { setTimeout } from 'node:timers/promises';
import { dependentsRunner } from '../../lib/dependents/tell-dependents.ts';
import { dependentsRow } from '../../lib/reconcile/kind-table.ts';
import { ports } from '../ports.ts';
import { queueHandler } from '../reconcile-handler.ts';

const wired = ports();

export const handler = queueHandler(
  dependentsRow.kind,
  dependentsRunner({ ...wired, pause: (milliseconds) => setTimeout(milliseconds) }),
  wired,
);
