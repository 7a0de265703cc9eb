/** The cluster's registration, as its operator writes it before anything runs. */
import type { DatabaseSync } from 'node:sqlite';
import { sqliteTable } from '../../../lib/embedded/sqlite-table.ts';
import { Clusters } from '../../../lib/state/clusters.ts';
import { cluster } from '../world.ts';

/** What SQS stamps on what the relay sends. */
export const relayRole = 'RELAY';

/** Written at once: the table of standalone mode waits for nothing. */
export const registerIn = (database: DatabaseSync): void =>
  void new Clusters(sqliteTable(database)).register(cluster, { access: 'in-cluster', relayRoleId: relayRole });
