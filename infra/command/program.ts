/** The command line of `kpackless`: what is understood, and what comes of it as an exit code. */
import { Command, CommanderError, Option } from 'commander';
import { creatorVersionOf } from '../../functions/release.ts';
import { ExpectedError, PermanentError } from '../../lib/errors/expected.ts';
import { networkCause } from '../../lib/errors/network-cause.ts';
import { addCluster } from './cluster/cluster.ts';
import type { CommandPorts, Ending, Registrar } from './context.ts';
import { addCost } from './cost.ts';
import { addDlq } from './dlq.ts';
import { addDoctor } from './doctor/doctor.ts';
import { type ExitCode, exitCodes } from './exit.ts';
import { addMigrate } from './migrate/migrate.ts';
import { addStack } from './stack.ts';
import { addStatus } from './status.ts';
import { addWhy } from './why.ts';

/** Every subcommand, in the order of the help. */
const subcommands: readonly ((program: Command, registrar: Registrar) => void)[] = [
  addCluster,
  addMigrate,
  addStatus,
  addWhy,
  addDlq,
  addCost,
  addDoctor,
  addStack,
];

const codes = `
Exit codes:
  0  done, and all is well
  1  could not be done: refused, or out of reach
  2  the command line is wrong
  3  was done, and what was looked at is not as it should be`;

const programOf = ({ ports, ending, args }: Registrar): Command => {
  const program = new Command('kpackless')
    .description('Runs and looks after kpackless: clusters, what waits and why, dead letters, cost.')
    .version(creatorVersionOf(''))
    .addOption(
      new Option('--output <form>', 'text for people or json for programs').choices(['text', 'json']).default('text'),
    )
    .addOption(
      new Option('--stage <stage>', 'which installation on AWS: the stage it was deployed as')
        .env('KPACKLESS_STAGE')
        .default('prod'),
    )
    .addOption(
      new Option('--prefix <prefix>', 'what the names of its stage begin with')
        .env('KPACKLESS_PREFIX')
        .default('kpackless'),
    )
    .addOption(new Option('--region <region>', 'its region').env('AWS_REGION'))
    .addOption(
      new Option('--profile <profile>', 'who you are there: a profile of the AWS configuration').env('AWS_PROFILE'),
    )
    .addOption(
      new Option('--database <file>', 'the SQLite file of standalone mode, in place of AWS').env('KPACKLESS_DATABASE'),
    )
    .addOption(
      new Option('--log-file <file>', 'the log of standalone mode, for the passes it tells of').env(
        'KPACKLESS_LOG_FILE',
      ),
    )
    .showHelpAfterError('(kpackless --help, and --help behind any command, shows what is understood)')
    .showSuggestionAfterError()
    .addHelpText('after', codes)
    .configureOutput({ writeOut: ports.streams.out, writeErr: ports.streams.err })
    .exitOverride();
  for (const add of subcommands) add(program, { ports, ending, args });
  return program;
};

/** All below a command write and end as the command does. */
const likeParent = (command: Command): void => {
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    likeParent(child);
  }
};

const isOurs = (error: unknown): error is Error => error instanceof ExpectedError || error instanceof PermanentError;

const namesBelow = (command: Command): readonly string[] =>
  command.commands.flatMap((child) =>
    child.commands.length === 0 ? [child.name()] : namesBelow(child).map((name) => `${child.name()} ${name}`),
  );

/** Every subcommand, as `cluster add`: docs/commands.md explains each. */
export const subcommandNames = (ports: CommandPorts): readonly string[] =>
  namesBelow(programOf({ ports, ending: { code: exitCodes.done }, args: [] }));

/** Does what `args` say; gives the exit code. Never throws: what goes wrong is said on standard error, in JSON also on standard output. */
export const runCommand = async (args: readonly string[], ports: CommandPorts): Promise<ExitCode> => {
  const ending: Ending = { code: exitCodes.done };
  const program = programOf({ ports, ending, args });
  likeParent(program);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return ending.code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    const isUsage = error instanceof PermanentError && error.reason === 'Usage';
    // Errors of AWS and of the network are told by their code: their own sentences may quote what was signed.
    const isBug = !isOurs(error) && !(error instanceof Error && ('$metadata' in error || 'code' in error));
    const said = isBug && error instanceof Error ? (error.stack ?? error.message) : networkCause(error);
    ports.streams.err(`kpackless: ${said}\n`);
    if (program.opts<{ output?: string }>().output === 'json')
      ports.streams.out(`${JSON.stringify({ error: said })}\n`);
    return isUsage ? exitCodes.usage : exitCodes.failed;
  }
};
