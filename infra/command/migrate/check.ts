/** `kpackless migrate check`: what taking a cluster over from kpack comes to. Changes nothing. */
import type { Command } from 'commander';
import { callOf, type Registrar, unwell } from '../context.ts';
import { answerOf, type Checked, isUnwell, looked } from '../findings.ts';
import { definitions, deployments, keepers, kept, settings, webhooks } from './look-installation.ts';
import { allObjects, builds, fields, grants } from './look-objects.ts';
import { addWay, inCluster, type Move, type WayOptions } from './move.ts';

interface CheckOptions extends WayOptions {
  readonly tenantEverywhere?: boolean;
}

const parts: readonly (readonly [what: string, look: (move: Move) => Promise<readonly Checked[]>])[] = [
  ['Deployments', deployments],
  ['settings', settings],
  ['webhooks', webhooks],
  ['definitions', definitions],
  ['kept by', keepers],
  ['what stays', kept],
];

/** Adds it. */
export const addMigrateCheck = (migrate: Command, registrar: Registrar): void => {
  addWay(migrate.command('check'))
    .option('--tenant-everywhere', 'migrate run will be called with it: no namespace then needs a grant of its own')
    .description('what taking a cluster over from kpack comes to; changes nothing')
    .addHelpText(
      'after',
      `
What migrate run does by itself is said and is no fault. Ends with 3 when something wants a person: a grant, a tool that would bring kpack back, an Image
that would be built.

Examples:
  $ kpackless migrate check --context prod
  $ kpackless migrate check --context prod --output json | jq '.checks[] | select(.state != "well")'`,
    )
    .action((options: CheckOptions, command: Command) => {
      const call = callOf(registrar, command);
      return inCluster(call, options, async (move) => {
        const all = await call.output.during(`looking at ${move.cluster}`, async (tell) => {
          const found: Checked[] = [];
          for (const [what, look] of parts) {
            tell(what);
            found.push(...(await looked(what, () => look(move))));
          }
          const ofObjects = await looked('objects', async () => {
            const objects = await allObjects(move, tell);
            return [
              ...builds(objects, move.clock()),
              ...(await looked('grants', () => grants(move, objects, options.tenantEverywhere === true))),
              ...fields(objects),
            ];
          });
          return [...found, ...ofObjects];
        });
        if (isUnwell(all)) unwell(registrar.ending);
        call.output.answer(answerOf(all, { cluster: move.cluster }));
      });
    });
};
