/** serverless.yml and its includes say what the code says: kind table, settings, and what standalone mode makes (DESIGN §3.21). */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type CollectionTag, parse, type ScalarTag } from 'yaml';
import { settingNames } from '../../functions/settings.ts';
import { camelCase } from '../../infra/settings/parameters.ts';
import { bulkRow, maxReceiveCountOf, queueRows, sqsRows, visibilitySeconds } from '../../lib/reconcile/kind-table.ts';
import { queueAttributes } from '../emulators/queues.ts';
import { tableShape } from '../emulators/table.ts';

type Node = { readonly [key: string]: Node } & readonly Node[] & string;

/** CloudFormation's short forms, as the text after them. */
const listTags: readonly CollectionTag[] = ['!Not', '!Equals', '!If', '!Join', '!Split'].map((tag) => ({
  tag,
  collection: 'seq',
}));
const tags: readonly ScalarTag[] = ['!GetAtt', '!Ref', '!Sub'].map((tag) => ({
  tag,
  resolve: (text: string) => `${tag} ${text}`,
}));

const pathOf = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url));
const read = (file: string): Node =>
  parse(readFileSync(pathOf(file), 'utf8'), { merge: true, customTags: [...tags, ...listTags] }) as Node;

const serverless = read('serverless.yml');
const queues = read('infra/queues.yml')['Resources'] ?? ({} as Node);
const roles = read('infra/roles.yml')['Resources'] ?? ({} as Node);
const alarms = read('infra/alarms.yml')['Resources'] ?? ({} as Node);

/** What every name begins with. */
const installation = '${self:service}-${sls:stage}';
/** Those that are always there; those that are asked for are in files of their own. */
const functions = serverless['functions']?.[0] ?? ({} as Node);
const hooks = read('infra/hooks.yml')['functions']?.['on']?.['hooks'] ?? ({} as Node);

const inCapitals = (name: string): string =>
  name.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
/** The resource as plain data, numbers as SQS' API has them: as strings. */
const asAttributes = (properties: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(properties)
      .filter(([name]) => !['QueueName', 'RedrivePolicy', 'KmsMasterKeyId'].includes(name))
      .map(([name, value]) => [name, String(value)]),
  );

describe('serverless.yml', () => {
  it('keeps what it deploys in a bucket that nobody else can read', () => {
    expect(serverless['provider']?.['deploymentBucket']).toEqual({
      blockPublicAccess: true,
      serverSideEncryption: 'AES256',
    });
  });

  it('has a function for every row of the kind table, the sweeper, and no other that was not asked for', () => {
    expect(Object.keys(functions).sort()).toEqual([...sqsRows.map(({ name }) => name), 'sweeper'].sort());
    expect(serverless['functions']?.[1]).toBe("${file(infra/hooks.yml):functions.${param:hooks, 'off'}}");
    expect(read('infra/hooks.yml')).toMatchObject({ functions: { off: {} }, outputs: { off: {} } });
  });

  it.each(sqsRows.map((row) => [row.name, row] as const))(
    'runs %s with the time, memory and concurrency of its row',
    (name, row) => {
      expect(functions[name]).toEqual({
        handler: `dist/${name}/handler.handler`,
        role: `!GetAtt ${inCapitals(name)}Role.Arn`,
        timeout: row.timeoutSeconds,
        memorySize: row.memoryMb,
        package: { patterns: ['!**', `dist/${name}/handler.mjs`] },
        events: [
          {
            sqs: {
              arn: `!GetAtt ${inCapitals(name)}Queue.Arn`,
              batchSize: 10,
              functionResponseType: 'ReportBatchItemFailures',
              maximumConcurrency: `\${param:${camelCase(name)}Concurrency, ${row.concurrency}}`,
            },
          },
        ],
      });
      expect(existsSync(pathOf(`functions/${name}/handler.ts`))).toBe(true);
    },
  );

  it('sweeps once a minute', () => {
    expect(functions['sweeper']?.['events']).toEqual([{ schedule: 'rate(1 minute)' }]);
    expect(Number(functions['sweeper']?.['timeout'])).toBeLessThan(60);
  });

  it('does not run a sweep again that failed: the next one finds the same, and three failures are an alarm', () => {
    expect(functions['sweeper']).toMatchObject({ maximumRetryAttempts: 0, maximumEventAge: 60 });
  });

  it('takes push hooks behind a URL, with room of their own only if that is asked for too', () => {
    expect(hooks).toMatchObject({
      handler: 'dist/hooks/handler.handler',
      url: true,
      reservedConcurrency: '${param:hooksReservedConcurrency, null}',
      environment: { KPACKLESS_HOOK_SECRET_PARAMETER: '/${self:service}/${sls:stage}/hook-secret' },
    });
  });

  it('gives every setting that functions read, but the log file', () => {
    const given = Object.keys(serverless['provider']?.['environment'] ?? {});
    expect([...given, 'KPACKLESS_LOG_FILE'].sort()).toEqual([...settingNames].sort());
  });
});

describe('infra/queues.yml', () => {
  it('has two queues for every row and no other', () => {
    const wanted = sqsRows.flatMap(({ name }) => [`${inCapitals(name)}Queue`, `${inCapitals(name)}DeadLetters`]);
    expect(Object.keys(queues).sort()).toEqual(wanted.sort());
  });

  it.each(sqsRows.map((row) => [row.name, row] as const))('declares %s as standalone mode makes it', (name, row) => {
    const queue = queues[`${inCapitals(name)}Queue`]?.['Properties'] ?? ({} as Node);
    const deadLetters = queues[`${inCapitals(name)}DeadLetters`]?.['Properties'] ?? ({} as Node);
    expect([queue['QueueName'], deadLetters['QueueName']]).toEqual([
      `${installation}-${name}.fifo`,
      `${installation}-${name}-dlq.fifo`,
    ]);
    expect(queue['RedrivePolicy']).toEqual({
      deadLetterTargetArn: `!GetAtt ${inCapitals(name)}DeadLetters.Arn`,
      maxReceiveCount:
        row === bulkRow ? maxReceiveCountOf(row) : `\${param:maxReceiveCount, ${maxReceiveCountOf(row)}}`,
    });
    expect(asAttributes(queue)).toEqual({ ...queueAttributes, VisibilityTimeout: String(visibilitySeconds(row)) });
    expect(asAttributes(deadLetters)).toEqual(queueAttributes);
  });
});

describe('infra/table.yml', () => {
  it('declares the table that standalone mode makes, safe from deletion and restorable', () => {
    const table = read('infra/table.yml')['Resources']?.['Table'] ?? ({} as Node);
    expect(table['Properties']).toMatchObject({ ...tableShape, TableName: installation });
    expect(table['Properties']).toMatchObject({
      DeletionProtectionEnabled: '${param:tableProtection, true}',
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      TimeToLiveSpecification: { AttributeName: 'endsAt', Enabled: true },
    });
    // A first deployment that fails takes it along, so that it can be repeated; nothing else does.
    expect(table).toMatchObject({ DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
  });
});

describe('infra/roles.yml', () => {
  interface Statement {
    readonly Action: string | readonly string[];
    readonly Resource: unknown;
  }
  /** Those under a condition too. */
  const statementsIn = (value: unknown): readonly Statement[] => {
    if (Array.isArray(value)) return value.flatMap(statementsIn);
    return typeof value === 'object' && value !== null && 'Action' in value ? [value as Statement] : [];
  };
  const inDocument = (document: Node | undefined): readonly Statement[] => statementsIn(document?.['Statement']);
  const statementsOf = (resource: Node | undefined): readonly Statement[] =>
    ((resource?.['Properties']?.['Policies'] ?? []) as readonly Node[]).flatMap((policy) =>
      inDocument(policy['PolicyDocument']),
    );
  const sendersTo = (name: string): readonly string[] =>
    Object.keys(roles).filter((role) =>
      statementsOf(roles[role]).some(
        ({ Action, Resource }) =>
          [Action].flat().includes('sqs:SendMessage') &&
          [Resource].flat().includes(`!GetAtt ${inCapitals(name)}Queue.Arn`),
      ),
    );

  it('has a role for every function, bounded if that is asked for; a relay’s is a stack of its own', () => {
    const wanted = [...sqsRows.map(({ name }) => name), 'hooks', 'sweeper'].map((name) => `${inCapitals(name)}Role`);
    expect(
      Object.keys(roles)
        .filter((name) => name.endsWith('Role'))
        .sort(),
    ).toEqual(wanted.sort());
    for (const name of wanted)
      expect(roles[name]?.['Properties']?.['PermissionsBoundary']).toBe(
        '${param:permissionsBoundary, file(infra/absent.yml):property}',
      );
  });

  it.each(sqsRows.map(({ name }) => name))('lets %s work off its own queue and no other', (name) => {
    const received = statementsOf(roles[`${inCapitals(name)}Role`]).filter(({ Action }) =>
      [Action].flat().includes('sqs:ReceiveMessage'),
    );
    expect(received.map(({ Resource }) => Resource)).toEqual([`!GetAtt ${inCapitals(name)}Queue.Arn`]);
  });

  it('lets those wake a kind who do: the sweeper, dependents; a long push itself; a poll its followers; hooks polls', () => {
    expect(sendersTo('builder')).toEqual(['BuilderRole', 'DependentsRole', 'BulkRole', 'SweeperRole']);
    expect(sendersTo('source-resolver')).toEqual([
      'ImageRole',
      'SourceResolverRole',
      'GitPollRole',
      'DependentsRole',
      'BulkRole',
      'SweeperRole',
    ]);
    expect(sendersTo('git-poll')).toEqual(['GitPollRole', 'DependentsRole', 'BulkRole', 'SweeperRole', 'HooksRole']);
    expect(sendersTo('dependents')).toEqual(['DependentsRole', 'BulkRole', 'SweeperRole']);
    for (const { name } of queueRows.filter(({ watched }) => watched))
      expect(sendersTo(name)).toEqual(expect.arrayContaining(['DependentsRole', 'SweeperRole']));
    // What waits for the end of an outage begins anew.
    for (const { name } of queueRows) expect(sendersTo(name)).toContain(`${inCapitals(name)}Role`);
  });

  it('lets an Image hand over to what it makes: its resolver and its Build', () => {
    expect(sendersTo('build')).toEqual(['ImageRole', 'BuildRole', 'DependentsRole', 'BulkRole', 'SweeperRole']);
  });

  it('lets those who wake in bulk do so: who fans out, and whom that may wake to wake others', () => {
    expect(sendersTo('bulk')).toEqual([
      'ImageRole',
      'BuilderRole',
      'ClusterBuilderRole',
      'GitPollRole',
      'DependentsRole',
      'SweeperRole',
    ]);
  });

  it('lets the bulk function hand on to every queue and look how full it is', () => {
    const onQueues = statementsOf(roles['BulkRole']).filter(({ Action }) =>
      [Action].flat().includes('sqs:SendMessage'),
    );
    expect(onQueues.map(({ Action }) => Action)).toEqual([
      ['sqs:SendMessage', 'sqs:GetQueueAttributes'],
      ['sqs:SendMessage', 'sqs:GetQueueAttributes'],
    ]);
    for (const { name } of queueRows) expect(sendersTo(name)).toContain('BulkRole');
  });

  it('believes the messages of exactly those who may send', () => {
    const senders = new Set(sqsRows.flatMap(({ name }) => sendersTo(name)));
    const believed: unknown = serverless['provider']?.['environment']?.['KPACKLESS_SENDERS'];
    expect(believed).toEqual([',', [...senders].sort().map((role) => `!GetAtt ${role}.RoleId`)]);
  });

  it('lets the sweeper, and nobody else, bring dead letters back: into queues it may send to', () => {
    const movers = Object.keys(roles).filter((role) =>
      statementsOf(roles[role]).some(({ Action }) => [Action].flat().includes('sqs:StartMessageMoveTask')),
    );
    expect(movers).toEqual(['SweeperRole']);
    for (const { name } of sqsRows) expect(sendersTo(name)).toContain('SweeperRole');
    const onLetters = statementsOf(roles['SweeperRole']).filter(({ Resource }) =>
      JSON.stringify(Resource).includes('-dlq.fifo'),
    );
    expect(onLetters.map(({ Action }) => Action)).toEqual([
      ['sqs:StartMessageMoveTask', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage', 'sqs:DeleteMessage'],
    ]);
  });

  it('lets builds put logs below the archive’s prefix when there is one, and nobody read or delete them', () => {
    const policy = roles['BuildLogArchivePolicy'];
    expect(policy).toMatchObject({ Condition: 'ArchivesBuildLogs', Properties: { Roles: ['!Ref BuildRole'] } });
    expect(inDocument(policy?.['Properties']?.['PolicyDocument'])).toEqual([
      {
        Effect: 'Allow',
        Action: 's3:PutObject',
        Resource: '!Sub arn:${AWS::Partition}:s3:::${param:buildLogArchive, ""}/*',
        Condition: { StringEquals: { 'aws:ResourceAccount': '!Ref AWS::AccountId' } },
      },
    ]);
  });

  it('lets nobody into a repository that no parameter names: by default the functions are nobody at ECR', () => {
    const conditions = read('infra/roles.yml')['Conditions'] ?? ({} as Node);
    const given = Object.entries(roles).flatMap(([name, resource]) =>
      [...statementsOf(resource), ...inDocument(resource['Properties']?.['PolicyDocument'])]
        .filter(({ Action }) => [Action].flat().some((action) => action.startsWith('ecr:')))
        .map(({ Action, Resource }) => ({
          name,
          condition: resource['Condition'],
          actions: [Action].flat(),
          Resource,
        })),
    );
    const parameters = { PullPolicy: 'readRepositories', PushPolicy: 'writeRepositories' } as const;
    for (const [policy, parameter] of Object.entries(parameters)) {
      const own = given.filter(({ name }) => name === policy);
      expect(own.length).toBeGreaterThan(1);
      for (const { condition, actions, Resource } of own) {
        expect(conditions[String(condition)]).toEqual([[`\${param:${parameter}, ''}`, '']]);
        expect(Resource).toEqual(
          actions.includes('ecr:GetAuthorizationToken') ? '*' : [',', `\${param:${parameter}, ''}`],
        );
      }
    }
    expect(given.filter(({ name }) => !(name in parameters))).toEqual([]);
    expect(given.filter(({ actions }) => actions.includes('ecr:PutImage')).map(({ name }) => name)).toEqual([
      'PushPolicy',
    ]);
    expect(roles['PushPolicy']?.['Properties']?.['Roles']).toEqual(
      ['Build', 'Builder', 'ClusterBuilder'].map((kind) => `!Ref ${kind}Role`),
    );
  });

  it('lets functions become roles of clusters and of grants, and no others', () => {
    const assumed = Object.values(roles).flatMap((resource: Node) =>
      [...statementsOf(resource), ...inDocument(resource['Properties']?.['PolicyDocument'])]
        .filter(({ Action }) => [Action].flat().includes('sts:AssumeRole'))
        .map(({ Resource }) => Resource),
    );
    expect(assumed).toEqual(
      ['${self:service}-*', 'ecr-kpackless-*'].map((name) => `!Sub arn:\${AWS::Partition}:iam::*:role/${name}`),
    );
  });

  it('allows no action by a wildcard', () => {
    const all = Object.values(roles).flatMap((resource: Node) => [
      ...statementsOf(resource),
      ...inDocument(resource['Properties']?.['PolicyDocument']),
    ]);
    expect(all.length).toBeGreaterThan(15);
    expect(all.flatMap(({ Action }) => Action).filter((action) => action.includes('*'))).toEqual([]);
  });
});

describe('infra/alarms.yml', () => {
  it('encrypts what alarms say with a key that CloudWatch may use', () => {
    expect(alarms['AlarmTopic']?.['Properties']?.['KmsMasterKeyId']).toBe(
      '${param:kmsKey, file(infra/absent.yml):alarmKey}',
    );
    const statements: unknown = alarms['AlarmKey']?.['Properties']?.['KeyPolicy']?.['Statement'];
    expect(statements).toContainEqual(
      expect.objectContaining({
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      }),
    );
  });

  it('watches the sweeper also when it is not invoked, and relays by what the sweeper says of them', () => {
    const propertiesOf = (alarm: string): unknown => alarms[alarm]?.['Properties'];
    expect(propertiesOf('SweeperNotInvoked')).toMatchObject({
      MetricName: 'Invocations',
      TreatMissingData: 'breaching',
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
    });
    const own = { Namespace: installation };
    expect(propertiesOf('SilentRelays')).toMatchObject({ ...own, MetricName: 'SilentRelays', Period: 60 });
    expect(propertiesOf('DeadLetters')).toMatchObject({ ...own, MetricName: 'DeadLetters', Period: 900 });
    expect(propertiesOf('ThrottledFunctions')).toMatchObject({ Namespace: 'AWS/Lambda', MetricName: 'Throttles' });
  });

  it('watches the age of every queue, and what the sweeper, relays and functions do', () => {
    const ages = new Map(
      sqsRows.map(({ name }) => [`${inCapitals(name)}AgeAlarm`, `!GetAtt ${inCapitals(name)}Queue.QueueName`]),
    );
    expect(new Set(Object.keys(alarms))).toEqual(
      new Set([
        ...ages.keys(),
        'AlarmKey',
        'AlarmTopic',
        'DeadLetters',
        'ForeignMessages',
        'SilentRelays',
        'SweeperErrors',
        'SweeperNotInvoked',
        'ThrottledFunctions',
      ]),
    );
    for (const [alarm, queue] of ages)
      expect(alarms[alarm]?.['Properties']?.['Dimensions']?.[0]?.['Value']).toBe(queue);
  });

  it('tells the topic of every alarm, of this installation alone', () => {
    const all = Object.values(alarms).filter(({ Type }: Node) => Type === 'AWS::CloudWatch::Alarm');
    expect(all.length).toBeGreaterThan(15);
    for (const { Properties } of all) expect(Properties?.['AlarmActions']).toEqual(['!Ref AlarmTopic']);
    // Of AWS's own metrics a dimension says whose they are; ours are in a namespace of the installation.
    // Throttling is the one that all functions of the account have in common, as they share its concurrency.
    const foreign = all.filter(({ Properties }: Node) =>
      String(Properties?.['Namespace']).startsWith('AWS/')
        ? Properties?.['MetricName'] !== 'Throttles' && Properties?.['Dimensions']?.length !== 1
        : String(Properties?.['Namespace']) !== installation,
    );
    expect(foreign).toEqual([]);
  });

  it('costs with the empty polls of the queues less than 8 US$ a month (DESIGN §6)', () => {
    const ofType = (type: string): number => Object.values(alarms).filter(({ Type }: Node) => Type === type).length;
    const alarmDollars = 0.1 * ofType('AWS::CloudWatch::Alarm') + ofType('AWS::KMS::Key');
    // Five long polls of 20 s at 0.50 US$ a million requests, the most a quiet mapping makes (spec 06 §5).
    const pollDollars = (sqsRows.length * 5 * 3 * 60 * 24 * 30 * 0.5) / 1e6;
    expect(alarmDollars + pollDollars).toBeLessThan(8);
  });
});
