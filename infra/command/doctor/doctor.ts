/** `kpackless doctor`: what is wrong with an installation and with how it is looked at, all of it at once. */
import type { Command } from 'commander';
import { ExpectedError } from '../../../lib/errors/expected.ts';
import type { Table } from '../../../lib/state/table.ts';
import { showSpan } from '../../../lib/text/span.ts';
import type { Aws } from '../aws.ts';
import { identityOf } from '../cluster/eks.ts';
import { type Call, callOf, nowOf, type Registrar, unwell, withInstallation } from '../context.ts';
import { answerOf, type Checked, isUnwell, looked, unknown, well, wrong } from '../findings.ts';
import { namesOf } from '../installation.ts';
import { queuesOf } from '../look.ts';
import { functions, quota, stack } from './deployed.ts';
import { clock, nodeVersion, packages } from './own.ts';

/** The sweeper moves on each minute what is due. */
const sweeperSeconds = 300;

/** The table: read, and its index; and by what is due there, whether the sweeper runs. @throws StateError */
const tableState = async (table: Table, now: number): Promise<readonly Checked[]> => {
  await table.get('doctor', 'doctor');
  const [earliest] = (
    await Promise.all(Array.from({ length: 16 }, (_, shard) => table.queryDue(shard, now, { limit: 1 })))
  )
    .flat()
    .map((item) => Number(item['dueAt'] ?? now))
    .toSorted((a, b) => a - b);
  const late = earliest === undefined ? 0 : now - earliest;
  return [
    well('table', 'it and its index answer'),
    late > sweeperSeconds
      ? wrong(
          'sweeper',
          `what was due ${showSpan(late)} ago has not been sent`,
          'its log says why; on AWS a schedule invokes it each minute, in standalone mode the process',
        )
      : well('sweeper', 'nothing is overdue'),
  ];
};

const credentials = async (aws: Aws): Promise<Checked> => {
  const { account, arn } = await identityOf(aws, 'installation');
  return well('credentials', `${arn} of account ${account}`);
};

/** A failure to sign in or to know where is wrong, not only unknown: nothing else can be looked at. */
const needed = async (what: string, wayOut: string, looking: () => Promise<Checked>): Promise<Checked> => {
  try {
    return await looking();
  } catch (error) {
    if (error instanceof ExpectedError) return wrong(what, error.message, wayOut);
    throw error;
  }
};

const stsOf = (region: string): string =>
  `https://sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}/`;

const onAws = async (call: Call): Promise<readonly Checked[]> => {
  const names = namesOf(call.where);
  await using aws = call.aws({ installation: call.where, cluster: call.where });
  const region = await needed('region', 'give --region, or set AWS_REGION or a region in the profile', async () =>
    well('region', await aws.region('installation')),
  );
  if (region.state === 'wrong') return [region];
  const time = await looked('clock', async () => clock(call.clock(), await call.serverDate(stsOf(region.said))));
  const signedIn = await needed(
    'credentials',
    'sign in (aws sso login, or --profile); a clock that is wrong does this too',
    () => credentials(aws),
  );
  const found = [region, ...time, signedIn];
  if (signedIn.state === 'wrong') return found;
  return [
    ...found,
    ...(await looked('stack', () => stack(aws, names))),
    ...(await call.output.during('looking at the functions', () => looked('functions', () => functions(aws, names)))),
    ...(await looked('quota', () => quota(aws))),
    ...(await inside(call)),
  ];
};

/** What any installation has: a table and queues. */
const inside = (call: Call): Promise<readonly Checked[]> =>
  looked('installation', () =>
    withInstallation(call, { writes: false }, async (installation) => [
      well('installation', installation.shown),
      ...(await looked('table', () => tableState(installation.table, nowOf(call)))),
      ...(await looked('queues', async () => {
        const queues = await queuesOf(call, installation);
        const dead = queues.filter(({ deadLetters }) => deadLetters > 0).map(({ name }) => name);
        return dead.length === 0
          ? well('queues', `all ${queues.length} answer, and have no dead letters`)
          : wrong('queues', `${dead.join(', ')} have dead letters`, 'kpackless dlq list');
      })),
    ]),
  );

/** Adds it. */
export const addDoctor = (program: Command, registrar: Registrar): void => {
  program
    .command('doctor')
    .description('what is wrong: programs, credentials, region, clock, stack, functions, settings, table, queues')
    .addHelpText(
      'after',
      `
Looks at all of it and names all mistakes together. Ends with 3 when something is wrong.

Examples:
  $ kpackless doctor --stage prod --region eu-west-1
  $ kpackless doctor --database /data/kpackless.sqlite
  $ kpackless doctor --output json | jq '.checks[] | select(.state == "wrong")'`,
    )
    .action(async (_options: unknown, command: Command) => {
      const call = callOf(registrar, command);
      const all = [
        nodeVersion(process.versions.node),
        packages(),
        ...(call.where.database === undefined ? await onAws(call) : await inside(call)),
      ];
      // Standalone mode's file may be in the hands of a process: then a copy was looked at, and what it does meanwhile is not in it.
      const blind = all.length <= 2 ? [unknown('installation', 'nothing of it could be looked at')] : [];
      const found = [...all, ...blind];
      if (isUnwell(found)) unwell(registrar.ending);
      call.output.answer(answerOf(found, {}));
    });
};
