/** What `kpackless doctor` finds of an installation on AWS: its stack, its functions and their settings. */
import * as v from 'valibot';
import { settingsFrom } from '../../../functions/settings.ts';
import { sqsRows } from '../../../lib/reconcile/kind-table.ts';
import { type Aws, AwsRefusal } from '../aws.ts';
import { type Checked, unknown, well, wrong } from '../findings.ts';
import type { Names } from '../installation.ts';

const stacks = v.object({ Stacks: v.array(v.object({ StackStatus: v.string() })) });
const config = v.object({
  State: v.optional(v.string(), 'Active'),
  LastUpdateStatus: v.optional(v.string(), 'Successful'),
  Environment: v.optional(v.object({ Variables: v.optional(v.record(v.string(), v.string()), {}) })),
});
const mappings = v.object({ EventSourceMappings: v.array(v.object({ State: v.optional(v.string(), '') })) });
const account = v.object({
  AccountLimit: v.object({
    ConcurrentExecutions: v.optional(v.number(), 0),
    UnreservedConcurrentExecutions: v.optional(v.number(), 0),
  }),
});

/** The stack: there, and at rest after a success. @throws ExpectedError */
export const stack = async (aws: Aws, names: Names): Promise<Checked> => {
  try {
    const answer = await aws.call('installation', {
      service: 'cloudformation',
      operation: 'DescribeStacks',
      input: { StackName: names.stack },
    });
    const status = v.parse(stacks, answer).Stacks[0]?.StackStatus ?? '';
    if (/^(?:CREATE|UPDATE|IMPORT)_COMPLETE$/.test(status)) return well('stack', `${names.stack} is ${status}`);
    return status.endsWith('_IN_PROGRESS')
      ? unknown('stack', `${names.stack} is ${status}`, 'ask again when it is done')
      : wrong('stack', `${names.stack} is ${status}`, 'CloudFormation says why in its events; deploy again');
  } catch (error) {
    if (!(error instanceof AwsRefusal) || error.code !== 'ValidationError') throw error;
    return wrong(
      'stack',
      `there is no stack ${names.stack} here`,
      'npm run deploy makes it; --stage, --prefix, --region and --profile say where it is',
    );
  }
};

/** What a function is told. */
interface Told {
  readonly name: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** How a function is, in a few words; nothing when all is well. */
interface Looked {
  readonly fault?: string;
  readonly told?: Told;
}

const oneFunction = async (aws: Aws, FunctionName: string): Promise<Looked> => {
  const ask = (operation: string) =>
    aws.call('installation', { service: 'lambda', operation, input: { FunctionName } });
  let answer: unknown;
  try {
    answer = await ask('GetFunctionConfiguration');
  } catch (error) {
    if (!(error instanceof AwsRefusal) || error.code !== 'ResourceNotFoundException') throw error;
    return { fault: 'not there' };
  }
  const { State, LastUpdateStatus, Environment } = v.parse(config, answer);
  const variables = Environment?.Variables ?? {};
  const told = { name: FunctionName, variables };
  if (State === 'Failed' || LastUpdateStatus === 'Failed')
    return { fault: `${State}, with a last update that is ${LastUpdateStatus}`, told };
  const { EventSourceMappings } = v.parse(mappings, await ask('ListEventSourceMappings'));
  const off = EventSourceMappings.filter(({ State: state }) => state !== 'Enabled');
  if (off.length === 0) return { told };
  return {
    fault: `not started by its queue, whose mapping is ${off.map(({ State: state }) => state).join(', ')}`,
    told,
  };
};

const mistakesOf = ({ name, variables }: Told): readonly string[] => {
  try {
    settingsFrom(variables);
    return [];
  } catch (error) {
    const lines = error instanceof Error ? error.message.split('\n').slice(1) : [];
    return lines.map((line) => `${name}: ${line}`);
  }
};

/** An image that `npm run package` puts in where nobody named one. */
const placeholder = 'registry.invalid';

/** All functions: there, active, started by their queues, of one release, told what they can work with. @throws ExpectedError */
export const functions = async (aws: Aws, names: Names): Promise<readonly Checked[]> => {
  const wanted = [...sqsRows.map(({ name }) => name), 'sweeper'];
  const each = await Promise.all(
    wanted.map(async (name) => ({ name, ...(await oneFunction(aws, `${names.stack}-${name}`)) })),
  );
  const faults = Map.groupBy(
    each.filter(({ fault }) => fault !== undefined),
    ({ fault }) => fault ?? '',
  );
  const found = [...faults].map(([fault, some]) =>
    wrong(
      'functions',
      `${some.map(({ name }) => name).join(', ')}: ${fault}`,
      fault.startsWith('not started') ? 'aws lambda update-event-source-mapping --enabled' : 'npm run deploy',
    ),
  );
  const told = each.flatMap((one) => (one.told === undefined ? [] : [one.told]));
  const releases = new Set(told.map(({ variables }) => variables['KPACKLESS_COMMIT'] ?? ''));
  const images = new Set(told.map(({ variables }) => variables['KPACKLESS_STEP_IMAGE'] ?? ''));
  const tables = new Set(told.map(({ variables }) => variables['KPACKLESS_TABLE'] ?? ''));
  const mistakes = told.flatMap(mistakesOf);
  return [
    ...(found.length === 0 ? [well('functions', `all ${told.length} are active`)] : found),
    ...(mistakes.length === 0
      ? told.length === 0
        ? []
        : [well('settings', 'every function can start with its own')]
      : [wrong('settings', mistakes.join('; '), 'set them right and npm run deploy')]),
    ...(releases.size > 1
      ? [
          wrong(
            'release',
            `functions are of ${[...releases].map((one) => one || 'an unknown commit').join(' and ')}`,
            'npm run deploy',
          ),
        ]
      : []),
    ...([...images].some((image) => image.includes(placeholder))
      ? [
          wrong(
            'step image',
            'no image of the build steps is named, so no build can start',
            'npm run images, and deploy with what it printed',
          ),
        ]
      : []),
    ...([...tables].every((table) => table === names.table)
      ? []
      : [
          wrong(
            'table',
            `functions use ${[...tables].join(', ')} and not ${names.table}`,
            'give --prefix and --stage of this installation',
          ),
        ]),
  ];
};

/** A new account has ten. */
const fewExecutions = 100;

/** What the account lets functions do at once. @throws ExpectedError */
export const quota = async (aws: Aws): Promise<Checked> => {
  const { AccountLimit } = v.parse(
    account,
    await aws.call('installation', { service: 'lambda', operation: 'GetAccountSettings', input: {} }),
  );
  const { ConcurrentExecutions: all, UnreservedConcurrentExecutions: free } = AccountLimit;
  const said = `${all} concurrent executions, ${free} of them not reserved`;
  return all < fewExecutions
    ? unknown('quota', said, 'work is throttled early: ask for 1,000 in Service Quotas, which costs nothing')
    : well('quota', said);
};
