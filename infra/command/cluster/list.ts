/** `kpackless cluster list`: the clusters, how each is entered, what it is granted. */
import type { Command } from 'commander';
import { printGrant } from '../../../lib/clusters/grant-text.ts';
import type { ClusterState } from '../../../lib/fleet/tally.ts';
import type { Registration } from '../../../lib/state/clusters.ts';
import { columns } from '../columns.ts';
import { callOf, type Registrar, withInstallation } from '../context.ts';
import { tallyOf } from '../look.ts';

/** Where a registration leads, in a word or two. */
export const shownWay = (registration: Registration): string => {
  switch (registration.access) {
    case 'eks':
      return `${registration.eksName} in ${registration.region}, ${registration.server}`;
    case 'kubeconfig':
      return registration.path;
    case 'stored':
      return `${registration.form} in ${registration.store}:${registration.name}`;
    case 'in-cluster':
      return 'the pod’s own cluster';
  }
};

const row = ({ name, registration }: ClusterState): readonly string[] =>
  registration === undefined
    ? [name, 'not registered', '-', '-', '-']
    : [
        name,
        registration.access,
        String(registration.grants?.length ?? 0),
        registration.relayRoleId ?? '-',
        shownWay(registration),
      ];

/** Adds it. */
export const addClusterList = (cluster: Command, registrar: Registrar): void => {
  cluster
    .command('list')
    .description('the clusters, how each is entered, and what its objects are granted')
    .addHelpText('after', '\nExamples:\n  $ kpackless cluster list\n  $ kpackless cluster list --output json')
    .action((_options: unknown, command: Command) => {
      const call = callOf(registrar, command);
      return withInstallation(call, { writes: false }, async (installation) => {
        const { clusters } = await tallyOf(call, installation);
        call.output.answer({
          lines:
            clusters.length === 0
              ? ['There are no clusters: kpackless cluster add']
              : [
                  ...columns([['CLUSTER', 'ACCESS', 'GRANTS', 'RELAY ROLE', 'WHERE'], ...clusters.map(row)]),
                  ...clusters.flatMap(({ name, registration }) =>
                    (registration?.grants ?? []).map((grant) => `${name}: ${printGrant(grant)}`),
                  ),
                ],
          json: { clusters: clusters.map(({ name, registration }) => ({ name, registration })) },
        });
      });
    });
};
