/** What every subcommand is given. Tests give others: nothing here does anything before it is called. */
import type { Command } from 'commander';
import type { Accounts, Aws } from './aws.ts';
import { type ExitCode, exitCodes } from './exit.ts';
import type { Installation, Opening, Where } from './installation.ts';
import { type Output, outputOn, type Streams } from './output.ts';
import type { Reach } from './reach.ts';

/** The outside world of the command. */
export interface CommandPorts {
  readonly streams: Streams;
  readonly clock: () => Date;
  /** Opens what `where` says. @throws ExpectedError, PermanentError */
  readonly open: (where: Where, opening: Opening) => Promise<Installation>;
  readonly reach: Reach;
  readonly aws: (accounts: Accounts) => Aws;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
  /** The status that an address answers with. @throws ExpectedError when it does not */
  readonly probe: (url: string) => Promise<number>;
  /** The time that an address answers with. @throws ExpectedError when it does not */
  readonly serverDate: (url: string) => Promise<Date>;
}

/** One call of a subcommand. */
export interface Call extends CommandPorts {
  readonly output: Output;
  readonly where: Where;
  /** The whole command line. */
  readonly args: readonly string[];
}

/** Where the exit code of a call is left; 0 unless it says otherwise. */
export interface Ending {
  code: ExitCode;
}

/** What a subcommand is added with. */
export interface Registrar {
  /** The whole command line. */
  readonly args: readonly string[];
  readonly ports: CommandPorts;
  readonly ending: Ending;
}

/** The call that `command` was made with. */
export const callOf = ({ ports, args }: Pick<Registrar, 'args' | 'ports'>, command: Command): Call => {
  const where = command.optsWithGlobals<Where>();
  return { ...ports, args, where, output: outputOn(ports.streams, where.output === 'json') };
};

/** Does `work` with the installation open. */
export const withInstallation = async <T>(
  call: Call,
  opening: Opening,
  work: (installation: Installation) => Promise<T>,
): Promise<T> => {
  await using installation = await call.output.during('finding the installation', () => call.open(call.where, opening));
  return await work(installation);
};

/** Whole Unix seconds. */
export const nowOf = ({ clock }: Pick<CommandPorts, 'clock'>): number => Math.floor(clock().getTime() / 1000);

/** Says that what was looked at is not as it should be. */
export const unwell = (ending: Ending): void => {
  ending.code = exitCodes.unwell;
};
