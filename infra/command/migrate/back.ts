/** `kpackless migrate back`: the cluster is kpack's again, as it was before `migrate run`, with the objects of now. */
import { type Command, Option } from 'commander';
import { callOf, type Registrar } from '../context.ts';
import { backupOf } from './back-up.ts';
import { assertOfCluster, installationIn, stepsBack } from './go-back.ts';
import { addWay, inCluster, type WayOptions } from './move.ts';
import { showAll, takeAll } from './steps.ts';

interface BackOptions extends WayOptions {
  readonly backup: string;
  readonly print?: boolean;
  readonly dryRun?: boolean;
}

/** Adds it. */
export const addMigrateBack = (migrate: Command, registrar: Registrar): void => {
  addWay(migrate.command('back'))
    .requiredOption('--backup <file>', 'what migrate run wrote before it changed anything')
    .option('--print', 'shows the steps, and does nothing')
    .addOption(new Option('--dry-run', 'the same').hideHelp())
    .description(
      'gives the cluster back to kpack: its definitions, webhooks and Deployments; objects stay as they are now',
    )
    .addHelpText(
      'after',
      `
Take the cluster out of the installation on AWS first: kpackless cluster remove NAME. Every step may be repeated; dying in between is mended by calling it again.

Examples:
  $ kpackless migrate back --context prod --backup kpack-backup-prod-20260101T100000Z.yaml --print
  $ kpackless migrate back --context prod --backup kpack-backup-prod-20260101T100000Z.yaml`,
    )
    .action(async (options: BackOptions, command: Command) => {
      const call = callOf(registrar, command);
      const installation = await installationIn(options.backup);
      const steps = stepsBack(installation);
      await inCluster(call, options, async (move) => {
        await assertOfCluster(move, installation);
        if (options.print === true || options.dryRun === true) return showAll(call, steps);
        const begun = await backupOf(move);
        if (begun === undefined)
          call.output.note(
            'no migration has been begun here, or it has been undone: what is to be done is looked for all the same',
          );
        const taken = await takeAll(call, move, steps);
        call.output.answer({
          lines: [
            ...taken.map(({ what, came }) => `${what}: ${came}`),
            `${move.cluster} is kpack's. What kpackless installed and does nothing now is in namespace kpack: Deployments, accounts and roles called kpackless…`,
          ],
          json: { cluster: move.cluster, backup: options.backup, steps: taken },
        });
      });
    });
};
