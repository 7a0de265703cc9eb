/** `kpackless cluster …`: the clusters of an installation. */
import type { Command } from 'commander';
import type { Registrar } from '../context.ts';
import { addClusterAdd } from './add.ts';
import { addClusterCheck } from './check.ts';
import { addClusterList } from './list.ts';
import { addClusterRemove } from './remove.ts';

/** Adds them. */
export const addCluster = (program: Command, registrar: Registrar): void => {
  const cluster = program.command('cluster').description('the clusters that are worked for');
  for (const add of [addClusterAdd, addClusterCheck, addClusterList, addClusterRemove]) add(cluster, registrar);
};
