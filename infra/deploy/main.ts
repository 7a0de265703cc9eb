/**
 * `npm run package|deploy|remove -- --stage STAGE`: what `infra/settings/STAGE.yml` says, as a template, in the account, or gone from it. The
 * settings are read before anything is done.
 */
import { ExpectedError, PermanentError } from '../../lib/errors/expected.ts';
import { bundleAll } from '../bundle.ts';
import { readCommandLine } from '../command-line/read.ts';
import { readStage } from '../settings/read.ts';
import { osls } from './osls.ts';

const usageOf = (command: string): string => `npm run ${command} -- --stage STAGE

${
  {
    package: 'Makes the CloudFormation template and the archives of the functions in .serverless/; needs no account.',
    deploy: 'Puts them into the account, and prints the outputs of the stack.',
    remove: 'Takes them out of the account. The table stays (docs/aws.md, "Removal").',
  }[command] ?? ''
}

  --stage STAGE   what infra/settings/STAGE.yml says; begin with a copy of infra/settings/example.yml
  --help          this text
`;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const main = async (command: string, args: readonly string[]): Promise<void> => {
  const name = `npm run ${command}`;
  const { values } = readCommandLine(
    { name, options: { stage: { type: 'string' }, help: { type: 'boolean' } } },
    { args, environment: process.env },
  );
  if (values.help === true) return say(usageOf(command));
  if (values.stage === undefined)
    throw new PermanentError('Usage', `say which: ${name} -- --stage prod, for infra/settings/prod.yml`);
  const { stage } = values;
  const settings = readStage(stage);
  if (command !== 'remove') await bundleAll();
  await osls([command], stage, settings);
  if (command !== 'deploy') return;
  await osls(['info', '--verbose'], stage, settings);
  if (!settings.tableProtection)
    say(
      `\nThe table may be deleted by mistake: set tableProtection: true in infra/settings/${stage}.yml and deploy again.`,
    );
};

const [, , command = '', ...args] = process.argv;
try {
  await main(command, args);
} catch (error) {
  const isExpected = error instanceof ExpectedError || error instanceof PermanentError;
  const said = error instanceof Error ? ((isExpected ? error.message : error.stack) ?? error.message) : String(error);
  process.stderr.write(`npm run ${command}: ${said}\n`);
  process.exitCode = 1;
}
