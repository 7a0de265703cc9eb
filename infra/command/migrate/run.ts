/** `kpackless migrate run`: a cluster that runs kpack becomes kpackless', in place. */
import { type Command, Option } from 'commander';
import { PermanentError } from '../../../lib/errors/expected.ts';
import { kpackController, kpackWebhook } from '../../../lib/migration/kpack.ts';
import { isOurDefinition, tracesOfKpack } from '../../crds/whose-cluster.ts';
import { type Call, callOf, type Registrar } from '../context.ts';
import { backUp, backupOf } from './back-up.ts';
import { liveDefinitions } from './definitions.ts';
import { layDown } from './deployments.ts';
import { installOurs } from './install.ts';
import { leaveFailures } from './leave-failures.ts';
import { addWay, inCluster, type Move, type WayOptions } from './move.ts';
import { rewriteOlder } from './rewrite.ts';
import { type MoveStep, showAll, takeAll } from './steps.ts';
import { vouchForPods } from './vouch.ts';
import { takeWebhooksAway } from './webhooks.ts';

interface RunOptions extends WayOptions {
  readonly backup?: string;
  readonly tenantEverywhere?: boolean;
  readonly conversion: boolean;
  readonly print?: boolean;
  readonly dryRun?: boolean;
}

const laidDownByHand = (name: string): readonly string[] => [
  `kubectl -n kpack annotate deployment ${name} kpackless.io/replicas-before-migration=1`,
  `kubectl -n kpack scale deployment ${name} --replicas 0`,
  `kubectl -n kpack wait --for delete pod -l app=${name} --timeout 3m`,
];

const down = (key: typeof kpackController, what: string): MoveStep => ({
  what,
  byHand: laidDownByHand(key.name),
  take: (move, tell) => layDown(move, key, tell),
});

/** All, in order. kpack's webhook converts until nothing is stored as v1alpha1, and ends before definitions change, as it writes into them. */
const stepsOf = ({ backup, tenantEverywhere = false, conversion }: RunOptions): readonly MoveStep[] => [
  backUp(backup),
  down(kpackController, 'kpack-controller to 0 replicas'),
  vouchForPods,
  takeWebhooksAway,
  leaveFailures,
  rewriteOlder,
  down(kpackWebhook, 'kpack-webhook to 0 replicas'),
  installOurs({ tenantEverywhere, isConverted: conversion }),
];

/** A run that was begun goes on, whatever it left. @throws PermanentError where there is nothing to take over */
const assertKpack = async (move: Move): Promise<void> => {
  if ((await backupOf(move)) !== undefined) return;
  const definitions = [...(await liveDefinitions(move.client)).values()];
  const add = 'kpackless cluster add NAME, or docs/standalone.md';
  if (definitions.length === 0)
    throw new PermanentError(
      'Refused',
      `${move.cluster} has no kpack: there is nothing to take over. To install kpackless there: ${add}`,
    );
  if (definitions.every(isOurDefinition) && (await tracesOfKpack(move.client)).length === 0)
    throw new PermanentError(
      'Refused',
      `${move.cluster} is kpackless' already, and kpack does not run there. To go on: ${add}`,
    );
};

const goOn = ({ conversion, tenantEverywhere }: RunOptions): readonly string[] => [
  'Nobody builds now. Go on with one of',
  `  kpackless cluster add NAME --eks CLUSTER --relay-image …${conversion ? '' : ' --no-conversion'}${tenantEverywhere === true ? ' --tenant-everywhere' : ''}   on AWS (docs/aws.md)`,
  '  kubectl apply -f infra/cluster/relay-rbac.yaml -f infra/cluster/relay-in-process.yaml -f infra/standalone/deployment.yaml   in the cluster itself (docs/standalone.md)',
  "To go back: kpackless migrate back --backup with the file above. Do not delete kpack's release (kubectl delete -f, kapp delete): its definitions are the ones in use, and every Image would go with them",
];

const migrate = async (call: Call, move: Move, options: RunOptions): Promise<void> => {
  await assertKpack(move);
  const steps = stepsOf(options);
  if (options.print === true || options.dryRun === true) return showAll(call, steps);
  const taken = await takeAll(call, move, steps);
  const left = await tracesOfKpack(move.client);
  if (left.length > 0)
    throw new PermanentError(
      'Migration',
      `somebody brings kpack back: ${left.join(', ')}. Stop what keeps it as it is (kpackless migrate check names it), and call this again`,
    );
  call.output.answer({
    lines: [...taken.map(({ what, came }) => `${what}: ${came}`), ...goOn(options)],
    json: { cluster: move.cluster, steps: taken, backup: await backupOf(move) },
  });
};

/** Adds it. */
export const addMigrateRun = (program: Command, registrar: Registrar): void => {
  addWay(program.command('run'))
    .option('--backup <file>', 'where everything is written to first; kpack-backup-CONTEXT-TIME.yaml here without')
    .option('--tenant-everywhere', 'lets kpackless read Secrets and make pods in every namespace, as kpack does')
    .option('--no-conversion', 'v1alpha1 is not served afterwards, as where the API server cannot reach pods')
    .option('--print', 'shows the steps, also as commands of kubectl, and does nothing')
    .addOption(new Option('--dry-run', 'the same').hideHelp())
    .description('takes a cluster over from kpack in place: every object stays, running Builds go on')
    .addHelpText(
      'after',
      `
Begins with a backup of everything, which migrate back needs; its name is kept in the cluster. No definition is deleted. Every step may be repeated: dying in
between is mended by calling it again. kpackless migrate check shows before what it comes to.

Examples:
  $ kpackless migrate run --context prod --print
  $ kpackless migrate run --context prod --tenant-everywhere`,
    )
    .action((options: RunOptions, command: Command) => {
      const call = callOf(registrar, command);
      return inCluster(call, options, (move) => migrate(call, move, options));
    });
};
