/** `kpackless migrate …`: from kpack to kpackless in place, and back (docs/migration.md). */
import type { Command } from 'commander';
import type { Registrar } from '../context.ts';
import { addMigrateBack } from './back.ts';
import { addMigrateCheck } from './check.ts';
import { addMigrateRun } from './run.ts';

/** Adds them. */
export const addMigrate = (program: Command, registrar: Registrar): void => {
  const migrate = program.command('migrate').description('from kpack to kpackless in a cluster, in place, and back');
  for (const add of [addMigrateCheck, addMigrateRun, addMigrateBack]) add(migrate, registrar);
};
