/** What `kpackless doctor` finds, all of it at once. */
import { afterEach, describe, expect, it } from 'vitest';
import { clock, nodeVersion } from '../../../infra/command/doctor/own.ts';
import { ExpectedError } from '../../../lib/errors/expected.ts';
import { Records } from '../../../lib/state/records.ts';
import { type Answers, type Asked, fakeAws } from '../../support/command-aws.ts';
import { type CommandWorld, commandWorld } from '../../support/command-run.ts';

const open: CommandWorld[] = [];
afterEach(() => {
  for (const world of open.splice(0)) world[Symbol.dispose]();
});

const variables = {
  KPACKLESS_TABLE: 'kpackless-prod',
  KPACKLESS_QUEUE_URL_PREFIX: 'https://sqs/kpackless-prod-',
  KPACKLESS_SENDERS: 'AROAEXAMPLE000000001',
  KPACKLESS_STEP_IMAGE: 'registry.example/steps@sha256:1',
  KPACKLESS_COMMIT: 'abcdef0',
};
const good: Answers = {
  DescribeStacks: { Stacks: [{ StackStatus: 'UPDATE_COMPLETE' }] },
  GetFunctionConfiguration: { State: 'Active', LastUpdateStatus: 'Successful', Environment: { Variables: variables } },
  ListEventSourceMappings: { EventSourceMappings: [{ State: 'Enabled' }] },
  GetAccountSettings: { AccountLimit: { ConcurrentExecutions: 1000, UnreservedConcurrentExecutions: 990 } },
};
const told = (more: object): object => ({ Environment: { Variables: { ...variables, ...more } } });

const doctor = async (answers: Answers = {}, more: Parameters<typeof commandWorld>[0] = {}) => {
  const world = commandWorld({ aws: fakeAws({ ...good, ...answers }).aws, ...more });
  open.push(world);
  return { world, ...(await world.run('doctor')) };
};

describe('kpackless doctor', () => {
  it('of what is well says what it looked at and ends with 0', async () => {
    const { code, out } = await doctor();
    expect(out).toMatch(/, 0 wrong/);
    for (const what of [
      'region',
      'clock',
      'credentials',
      'stack',
      'functions',
      'settings',
      'quota',
      'table',
      'sweeper',
      'queues',
    ])
      expect(out).toMatch(new RegExp(`^ok +${what} `, 'm'));
    expect(code).toBe(0);
  });

  it('names all mistakes of all functions together', async () => {
    const { code, out } = await doctor({
      GetFunctionConfiguration: ({ input }: Asked) => {
        const name = String(input['FunctionName']);
        if (name === 'kpackless-prod-image')
          return told({ KPACKLESS_GIT_POLL_SECONDS: 'often', KPACKLESS_BUILD_STEPS: 'fast' });
        if (name === 'kpackless-prod-build')
          return told({ KPACKLESS_STEP_IMAGE: 'registry.invalid/x', KPACKLESS_COMMIT: 'abcdef1' });
        return name === 'kpackless-prod-bulk' ? 'ResourceNotFoundException' : told({});
      },
    });
    expect(code).toBe(3);
    expect(out).toContain('kpackless-prod-image: KPACKLESS_GIT_POLL_SECONDS is "often": must be a number of seconds');
    expect(out).toContain('kpackless-prod-image: KPACKLESS_BUILD_STEPS is "fast": ');
    expect(out).toMatch(/WRONG +functions +bulk: not there/);
    expect(out).toMatch(/WRONG +release +functions are of abcdef0 and abcdef1/);
    expect(out).toMatch(/WRONG +step image +no image of the build steps/);
  });

  it.each([
    [
      'a stack that is not there',
      { DescribeStacks: 'ValidationError' },
      /WRONG +stack +there is no stack kpackless-prod here/,
    ],
    [
      'a stack that rolled back',
      { DescribeStacks: { Stacks: [{ StackStatus: 'ROLLBACK_COMPLETE' }] } },
      /WRONG +stack +kpackless-prod is ROLLBACK_COMPLETE/,
    ],
    [
      'a queue that starts no function',
      { ListEventSourceMappings: { EventSourceMappings: [{ State: 'Disabled' }] } },
      /not started by its queue, whose mapping is Disabled/,
    ],
    [
      'a table of another installation',
      { GetFunctionConfiguration: told({ KPACKLESS_TABLE: 'other' }) },
      /functions use other and not/,
    ],
  ] satisfies readonly (readonly [string, Answers, RegExp])[])('finds %s', async (_, answers, said) => {
    const { code, out } = await doctor(answers);
    expect(code).toBe(3);
    expect(out).toMatch(said);
  });

  it('says that an account lets few functions run at once', async () => {
    const { code, out } = await doctor({ GetAccountSettings: { AccountLimit: { ConcurrentExecutions: 10 } } });
    expect(code).toBe(0);
    expect(out).toMatch(/^\? +quota +10 concurrent executions/m);
    expect(out).toContain('ask for 1,000 in Service Quotas');
  });

  it('without credentials says how to sign in, and looks at nothing that needs them', async () => {
    const { code, out } = await doctor({ GetCallerIdentity: 'ExpiredTokenException' });
    expect(code).toBe(3);
    expect(out).toMatch(/WRONG +credentials +sts GetCallerIdentity: ExpiredTokenException/);
    expect(out).toContain('credentials: sign in (aws sso login, or --profile)');
    expect(out).not.toMatch(/stack/);
  });

  it('finds a clock that AWS would not believe', async () => {
    const { code, out } = await doctor({}, { serverDate: async () => new Date('2026-01-01T10:07:00Z') });
    expect(code).toBe(3);
    expect(out).toMatch(/WRONG +clock +420 s behind that of AWS/);
  });

  it('finds a sweeper that does not sweep, and dead letters', async () => {
    const { world } = await doctor();
    await new Records(world.table).park(
      { cluster: 'a', kind: 'Image', namespace: 'b', name: 'c' },
      world.now.getTime() / 1000 - 3600,
    );
    world.messages.add('image-dlq', [{ target: 't', tenant: 'x', bulk: false, id: '1', body: '{}' }], 0);
    const { code, out } = await world.run('doctor', '--database', 'file');
    expect(code).toBe(3);
    expect(out).toMatch(/WRONG +sweeper +what was due 60 min ago has not been sent/);
    expect(out).toMatch(/WRONG +queues +image have dead letters/);
    expect(out).not.toMatch(/credentials/);
  });

  it('says that an installation cannot be opened, and why', async () => {
    const { out } = await doctor({}, { open: () => Promise.reject(new ExpectedError('AWS does not say who you are')) });
    expect(out).toMatch(/^\? +installation +AWS does not say who you are/m);
  });
});

describe('what runs here', () => {
  it('is compared with what is tested', () => {
    expect(nodeVersion('24.21.0').state).toBe('well');
    expect(nodeVersion('26.0.0')).toMatchObject({
      state: 'unknown',
      said: expect.stringContaining('24.21.0') as string,
    });
  });

  it('may be a minute off', () => {
    const [here, there] = [new Date(0), new Date(59_000)];
    expect(clock(here, there).state).toBe('well');
    expect(clock(new Date(61_000), new Date(0))).toMatchObject({
      state: 'wrong',
      said: expect.stringContaining('ahead') as string,
    });
  });
});
