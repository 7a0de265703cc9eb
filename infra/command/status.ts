/** `kpackless status`: clusters, circuits, relays, queues, dead letters, records. */
import type { Command } from 'commander';
import type { ClusterState } from '../../lib/fleet/tally.ts';
import { type QueueState, troubles } from '../../lib/fleet/troubles.ts';
import { showSpan } from '../../lib/text/span.ts';
import { columns } from './columns.ts';
import { callOf, nowOf, type Registrar, unwell, withInstallation } from './context.ts';
import { queuesOf, tallyOf } from './look.ts';

const countOf = ({ objects }: ClusterState): number => Object.values(objects).reduce((sum, one) => sum + one, 0);

const relayWord = ({ relay }: ClusterState, now: number): string => {
  if (relay.heartbeatAt !== undefined) return `heard of ${showSpan(now - relay.heartbeatAt)} ago`;
  const kinds = Object.keys(relay.checkpoints).length;
  return relay.epoch === undefined ? 'never seen' : `${kinds} watches`;
};

const circuitWord = ({ circuitOpenUntil: open }: ClusterState, now: number): string =>
  open !== undefined && open > now ? `open, probe in ${showSpan(open - now)}` : 'answers';

const clusterLines = (clusters: readonly ClusterState[], now: number): readonly string[] =>
  columns([
    ['CLUSTER', 'ACCESS', 'API', 'RELAY', 'OBJECTS', 'FAILING', 'OVERDUE'],
    ...clusters.map((cluster) => [
      cluster.name,
      cluster.registration?.access ?? 'not registered',
      cluster.registration === undefined ? '-' : circuitWord(cluster, now),
      relayWord(cluster, now),
      String(countOf(cluster)),
      String(cluster.failing),
      String(cluster.overdue),
    ]),
  ]);

const queueLines = (queues: readonly QueueState[]): readonly string[] =>
  columns([
    ['QUEUE', 'WAITING', 'IN HAND', 'OLDEST', 'DEAD LETTERS'],
    ...queues.map(({ name, waiting, inHand, oldestSeconds, deadLetters }) => [
      name,
      String(waiting),
      String(inHand),
      oldestSeconds === undefined ? '-' : showSpan(oldestSeconds),
      String(deadLetters),
    ]),
  ]);

/** Adds it. */
export const addStatus = (program: Command, registrar: Registrar): void => {
  const { ending } = registrar;
  program
    .command('status')
    .description('what is going on: clusters, circuits, relays, queues, dead letters, records')
    .addHelpText(
      'after',
      `
Ends with 3 when something wants a person; the last lines say what, and the command to go on with.

Examples:
  $ kpackless status --region eu-west-1
  $ kpackless status --output json | jq '.troubles'
  $ kpackless status --database ~/.kpackless/kpackless.sqlite`,
    )
    .action((_options: unknown, command: Command) => {
      const call = callOf(registrar, command);
      return withInstallation(call, { writes: false }, async (installation) => {
        const now = nowOf(call);
        const [tally, queues] = [await tallyOf(call, installation), await queuesOf(call, installation)];
        const wrong = troubles(tally, queues, now);
        if (wrong.length > 0) unwell(ending);
        call.output.answer({
          lines: [
            `${installation.shown}: ${tally.clusters.length} clusters, ${tally.items} items in the table`,
            '',
            ...clusterLines(tally.clusters, now),
            '',
            ...queueLines(queues),
            ...(tally.openHosts.length > 0
              ? [
                  '',
                  'Hosts that are left alone for now:',
                  ...tally.openHosts.map(({ scope, openUntil }) => `  ${scope}, ${showSpan(openUntil - now)} more`),
                ]
              : []),
            '',
            ...(wrong.length === 0 ? ['Nothing wants a person.'] : wrong.map((each) => `! ${each}`)),
          ],
          json: { installation: installation.shown, at: call.clock().toISOString(), ...tally, queues, troubles: wrong },
        });
      });
    });
};
