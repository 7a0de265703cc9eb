/** `npm run trial`: what only an account of AWS can show, as one command (docs/aws.md, "Trial"). It costs some cents, and takes away what it made. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { ExpectedError, PermanentError } from '../../lib/errors/expected.ts';
import { readCommandLine } from '../command-line/read.ts';
import { type Step, shownCommand, type Trial, take, trialSteps } from './plan.ts';

const name = 'npm run trial';
const usage = `${name} -- --stage STAGE --region REGION --eks NAME --context CONTEXT --relay-image IMAGE --image FILE [--print]

Deploys, lets an EKS cluster in, has an Image built there, and takes all of it away again. What each step shows is printed.

  --stage STAGE        what infra/settings/STAGE.yml says; take one that nobody uses
  --region REGION      the stack's, and the cluster's
  --eks NAME           a cluster without kpack and without kpackless
  --context CONTEXT    how kubectl enters it, as its administrator
  --relay-image IMAGE  as npm run images printed it
  --image FILE         a manifest: an Image with its namespace, account, Secret and builder
  --print              shows the commands, and does nothing
  --help               this text
`;

const wanted = ['stage', 'region', 'eks', 'context', 'relay-image', 'image'] as const;

const trialFrom = (values: Readonly<Record<string, string | boolean | undefined>>): Trial => {
  const missing = wanted.filter((option) => typeof values[option] !== 'string' || values[option] === '');
  if (missing.length > 0)
    throw new PermanentError(
      'Usage',
      `say ${missing.map((option) => `--${option}`).join(', ')}; see ${name} -- --help`,
    );
  const text = (option: (typeof wanted)[number]): string => String(values[option]);
  if (!existsSync(text('image'))) throw new PermanentError('Usage', `there is no file ${text('image')}`);
  return {
    stage: text('stage'),
    region: text('region'),
    eks: text('eks'),
    context: text('context'),
    relayImage: text('relay-image'),
    image: text('image'),
  };
};

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** With its words on our output, so that somebody sees how far it is. */
const run = async ({ what, command: [program = '', ...words] }: Step, place: string): Promise<boolean> => {
  say(`\n[${place}] ${what}\n$ ${shownCommand([program, ...words])}`);
  const child = spawn(program, words, { stdio: 'inherit' });
  const ended = await Promise.race([once(child, 'exit'), once(child, 'error')]);
  return ended[0] === 0;
};

const main = async (): Promise<void> => {
  const options = {
    ...(Object.fromEntries(wanted.map((option) => [option, { type: 'string' }])) as Record<
      (typeof wanted)[number],
      { readonly type: 'string' }
    >),
    print: { type: 'boolean' },
    help: { type: 'boolean' },
  } as const;
  const { values } = readCommandLine({ name, options }, { args: process.argv.slice(2), environment: process.env });
  if (values.help === true) return say(usage);
  const steps = trialSteps(trialFrom(values));
  if (values.print === true)
    return say(steps.map(({ what, command }) => `# ${what}\n${shownCommand(command)}`).join('\n'));
  const done = await take(steps, run);
  say('');
  for (const { step, outcome } of done) say(`${outcome.padEnd(9)}${step.what}`);
  if (done.some(({ outcome }) => outcome !== 'well')) process.exitCode = 3;
};

try {
  await main();
} catch (error) {
  const isExpected = error instanceof ExpectedError || error instanceof PermanentError;
  const said = error instanceof Error ? ((isExpected ? error.message : error.stack) ?? error.message) : String(error);
  process.stderr.write(`${name}: ${said}\n`);
  process.exitCode = 1;
}
