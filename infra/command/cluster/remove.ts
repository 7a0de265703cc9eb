/** `kpackless cluster remove`: nothing more is done for a cluster, and nothing of it is left, which is counted. */
import type { Command } from 'commander';
import { undoPlan } from '../../../lib/eks/plan.ts';
import { asCommand } from '../../../lib/eks/step.ts';
import { ExpectedError } from '../../../lib/errors/expected.ts';
import { type Counted, countOfCluster, forgetCluster, total } from '../../../lib/fleet/forget-cluster.ts';
import { Clusters, type Registration } from '../../../lib/state/clusters.ts';
import { type Call, callOf, type Registrar, withInstallation } from '../context.ts';
import type { Installation } from '../installation.ts';
import { queuesOf } from '../look.ts';
import { numberIn } from '../number-option.ts';
import { takeSteps } from '../take-steps.ts';
import { associationOf } from './eks.ts';
import { clusterName } from './registration.ts';

/** What is understood. */
interface RemoveOptions {
  readonly clusterRegion?: string;
  readonly clusterProfile?: string;
  readonly keepRoles?: boolean;
  readonly drainSeconds: number;
}

/** Functions believe a registration for a minute (lib/clusters/registrations.ts). */
const believedMilliseconds = 65_000;
const lookMilliseconds = 15_000;

/** The first word of a key as people say it. */
const words: Readonly<Record<string, string>> = {
  object: 'records',
  edge: 'edges',
  hook: 'polls that hooks wake',
  slots: 'slots',
  circuit: 'circuits',
  relay: 'items of its relay',
  registration: 'registrations',
  member: 'entries in what clusters share',
};

const shown = (counted: Counted): string =>
  Object.entries(counted)
    .map(([type, count]) => `${count} ${words[type] ?? type}`)
    .join(', ') || 'nothing';

const added = (a: Counted, b: Counted): Counted => {
  const sum: Record<string, number> = { ...a };
  for (const [type, count] of Object.entries(b)) sum[type] = (sum[type] ?? 0) + count;
  return sum;
};

/**
 * Forgets until nothing is left and nothing waits that could leave traces, or the time is over: a message of the cluster that is worked on writes a
 * record once more. Gives what was deleted and what is left.
 */
const drain = async (call: Call, installation: Installation, cluster: string, seconds: number) => {
  let gone: Counted = {};
  const until = call.clock().getTime() + seconds * 1000;
  return call.output.during(`forgetting cluster ${cluster}`, async (tell) => {
    for (;;) {
      gone = added(
        gone,
        await forgetCluster(installation, cluster, (items) => tell(`${total(gone) + items} items are gone`)),
      );
      const waiting = (await queuesOf(call, installation)).reduce(
        (sum, queue) => sum + queue.waiting + queue.inHand,
        0,
      );
      const isOver = call.clock().getTime() >= until;
      if (waiting === 0 || isOver) {
        const left = await countOfCluster(installation.scan, cluster, (read) => tell(`proving: ${read} items read`));
        if (total(left) === 0 || isOver) return { gone, left, waiting };
      }
      tell(`${waiting} messages wait in the queues, some perhaps of it`);
      await call.sleep(lookMilliseconds);
    }
  });
};

/** Identity and access on AWS. What fails is said with the commands that do it; it does not bring the cluster back. */
const undo = async (
  call: Call,
  cluster: string,
  registration: Extract<Registration, { readonly access: 'eks' }>,
  { clusterRegion, clusterProfile }: RemoveOptions,
): Promise<readonly string[]> => {
  const region = clusterRegion ?? registration.region;
  const profile = clusterProfile ?? call.where.profile;
  const { eksName, roleArn } = registration;
  await using aws = call.aws({
    installation: call.where,
    cluster: { region, ...(profile !== undefined && { profile }) },
  });
  let associationId: string | undefined;
  try {
    associationId = await associationOf(aws, eksName);
    const { taken } = await call.output.during('taking back what lets kpackless in', (tell) =>
      takeSteps(
        aws,
        undoPlan(cluster, { prefix: call.where.prefix, eksName }, { roleArn, associationId }),
        tell,
        call.sleep,
      ),
    );
    return taken.filter(({ taken: how }) => how === 'done').map(({ what }) => `took back: ${what}`);
  } catch (error) {
    if (!(error instanceof ExpectedError)) throw error;
    const side = { installation: call.where.profile, cluster: profile };
    return [
      `not all on AWS could be taken back: ${error.message}; what does it:`,
      ...undoPlan(cluster, { prefix: call.where.prefix, eksName }, { roleArn, associationId }).map((step) =>
        asCommand(step, {
          region: step.side === 'cluster' ? region : (call.where.region ?? region),
          profile: side[step.side],
        }),
      ),
    ];
  }
};

/** Adds it. */
export const addClusterRemove = (cluster: Command, registrar: Registrar): void => {
  cluster
    .command('remove')
    .argument('<name>')
    .option('--cluster-region <region>', 'its region; the registration’s without')
    .option('--cluster-profile <profile>', 'who you are in its account; --profile without')
    .option('--keep-roles', 'leaves roles, access entry and the relay’s identity on AWS')
    .option('--drain-seconds <seconds>', 'waits so long for messages to be worked off', numberIn, 300)
    .description('ends all work for a cluster, deletes everything of it and proves that nothing is left')
    .addHelpText(
      'after',
      `
Images and Builds in the cluster stay as they are. Stop its relay first: kubectl -n kpack delete deployment kpackless-relay. Called again it goes on
where it ended. Ends with 3 when something is left.

Examples:
  $ kpackless cluster remove prod
  $ kpackless cluster remove prod --cluster-profile other-account --output json`,
    )
    .action((name: string, options: RemoveOptions, command: Command) => {
      const call = callOf(registrar, command);
      clusterName(name);
      return withInstallation(call, { writes: true }, async (installation) => {
        const clusters = new Clusters(installation.table);
        const registration = await clusters.registration(name);
        // Before the registration goes, which alone says what there is: who dies in between begins here once more.
        const onAws =
          registration?.access === 'eks' && options.keepRoles !== true
            ? await undo(call, name, registration, options)
            : [];
        await clusters.remove(name);
        if (registration !== undefined && !installation.isFile)
          await call.output.during('waiting until every function knows that it is not registered', () =>
            call.sleep(believedMilliseconds),
          );
        const drained = await drain(call, installation, name, options.drainSeconds);
        const { left, waiting } = drained;
        const gone = added(drained.gone, registration === undefined ? {} : { registration: 1 });
        if (total(left) > 0) registrar.ending.code = 3;
        call.output.answer({
          lines: [
            `deleted: ${shown(gone)}`,
            ...onAws,
            total(left) === 0
              ? `proved: the table was read once more, and nothing in it is of cluster ${name}${waiting > 0 ? `; ${waiting} messages still wait in the queues, so call this again later` : ''}`
              : `left: ${shown(left)}; does its relay still run? Stop it and call this again`,
          ],
          json: { cluster: name, wasRegistered: registration !== undefined, deleted: gone, left, waiting, onAws },
        });
      });
    });
};
