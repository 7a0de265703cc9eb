/** `osls package` makes a CloudFormation template of serverless.yml without an account or network; this is what AWS would be given. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { concurrencies } from '../../../lib/reconcile/concurrency.ts';
import { sqsRows } from '../../../lib/reconcile/kind-table.ts';
import {
  allSettings,
  leastSettings,
  type Packager,
  packager,
  type Resource,
  type Template,
} from '../../support/packaged-template.ts';

let made: Packager;
/** Of a stage that asks for nothing, and of one that asks for everything. */
let least: Template;
let all: Template;

beforeAll(async () => {
  made = await packager('bundles');
  ({ template: all } = await made.template('test', allSettings));
  // Last, as its archives stay there.
  ({ template: least } = await made.template('prod', leastSettings));
});
afterAll(() => made.remove());

const ofType = (template: Template, type: string): readonly Resource[] =>
  Object.values(template.Resources).filter(({ Type }) => Type === `AWS::${type}`);
const rows = sqsRows.length;

describe('the template', () => {
  it('has of everything as much as the kind table says, and nothing for push hooks', () => {
    const types = ['Lambda::Function', 'Lambda::Url', 'Lambda::EventSourceMapping', 'SQS::Queue', 'DynamoDB::Table'];
    expect(types.map((type) => [type, ofType(least, type).length])).toEqual([
      ['Lambda::Function', rows + 1],
      ['Lambda::Url', 0],
      ['Lambda::EventSourceMapping', rows],
      ['SQS::Queue', 2 * rows],
      ['DynamoDB::Table', 1],
    ]);
    expect(JSON.stringify(least)).not.toContain('ReservedConcurrentExecutions');
  });

  it('runs a sweep that failed no second time, and keeps none that waited for a minute', () => {
    expect(ofType(least, 'Lambda::EventInvokeConfig').map(({ Properties }) => Properties)).toMatchObject([
      { FunctionName: { Ref: 'SweeperLambdaFunction' }, MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
    ]);
  });

  it('maps every queue to its own function, ten messages at a time, with partial batch answers', () => {
    const mappings = ofType(least, 'Lambda::EventSourceMapping').map(({ Properties }) => Properties);
    const ends = mappings.map(({ EventSourceArn, FunctionName }) =>
      JSON.stringify([EventSourceArn, FunctionName])
        .replaceAll(/Queue|LambdaFunction|Dash/g, '')
        .toLowerCase(),
    );
    for (const [from, to] of ends.map((pair) => JSON.parse(pair) as [object, object])) expect(from).toEqual(to);
    expect(new Set(ends).size).toBe(rows);
    for (const mapping of mappings)
      expect(mapping).toMatchObject({
        BatchSize: 10,
        Enabled: true,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
      });
  });

  it.each([
    ['prod', 1000],
    ['test', 400],
  ])('of stage %s lets functions have what fits an account with %i concurrent executions', (stage, account) => {
    const given = ofType(stage === 'prod' ? least : all, 'Lambda::EventSourceMapping').map(
      ({ Properties }) => (Properties['ScalingConfig'] as { readonly MaximumConcurrency: unknown }).MaximumConcurrency,
    );
    expect(given).toEqual([...concurrencies(account).values()]);
  });

  it('runs every function on Node 24 and arm64, with a role of its own and the settings', () => {
    const functions = ofType(least, 'Lambda::Function').map(({ Properties }) => Properties);
    expect(new Set(functions.map(({ Role }) => JSON.stringify(Role))).size).toBe(functions.length);
    for (const one of functions) {
      expect(one).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] });
      expect(one).toHaveProperty('Environment.Variables.KPACKLESS_TABLE', 'kpackless-prod');
      expect(one).not.toHaveProperty('VpcConfig');
    }
  });

  it('keeps logs of every function for two weeks', () => {
    const days = ofType(least, 'Logs::LogGroup').map(({ Properties }) => Properties['RetentionInDays']);
    expect(days).toEqual(Array.from({ length: rows + 1 }, () => 14));
  });

  it('names only resources that it has', () => {
    for (const { Resources, Outputs } of [least, all]) {
      const text = JSON.stringify([Resources, Outputs]);
      const named = [
        ...[...text.matchAll(/"Fn::GetAtt":\["([^"]+)"/g)].map(([, name]) => name ?? ''),
        ...[...text.matchAll(/"Ref":"([^":]+)"/g)].map(([, name]) => name ?? ''),
        ...[...text.matchAll(/\$\{([A-Za-z]+)\.Arn\}/g)].map(([, name]) => name ?? ''),
      ];
      expect(named.length).toBeGreaterThan(100);
      expect(named.filter((name) => !(name in Resources))).toEqual([]);
    }
  });

  it('begins every name with prefix and stage, so that two installations fit one account and region', () => {
    const ofAws = ['FunctionName', 'QueueName', 'TableName', 'TopicName', 'LogGroupName', 'DashboardName'];
    const namesIn = ({ Resources }: Template): readonly string[] =>
      Object.values(Resources).flatMap(({ Type, Properties }) =>
        ofAws
          .filter((key) => key in Properties && !['AWS::CloudWatch::Alarm', 'AWS::Lambda::Permission'].includes(Type))
          .map((key) => Properties[key])
          .flatMap((name) => (typeof name === 'string' ? [name] : Object.values(name as object).map(String))),
      );
    const [prod, test] = [namesIn(least), namesIn(all)];
    // A mapping and a URL name their function by its resource.
    const own = (names: readonly string[]) => names.filter((name) => !name.includes(',') && !name.endsWith('Function'));
    expect(own(prod).length).toBeGreaterThan(2 * rows);
    expect(own(prod).filter((name) => !/^(?:\/aws\/lambda\/)?kpackless-prod(?:-|$)/.test(name))).toEqual([]);
    expect(own(test).filter((name) => !/^(?:\/aws\/lambda\/)?acme-kpack-test(?:-|$)/.test(name))).toEqual([]);
    // Whatever else is said of a name, such as a policy's resources.
    expect(JSON.stringify(all)).not.toMatch(/(?<!ecr-)kpackless-[a-z]/);
  });

  it('keeps the table when the stack goes, and takes it back when the deployment that makes it fails', () => {
    expect(least.Resources['Table']).toMatchObject({
      Condition: 'MakesTable',
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
      Properties: { DeletionProtectionEnabled: true },
    });
    expect(all.Resources['Table']).toMatchObject({ Properties: { DeletionProtectionEnabled: false } });
    expect(least.Conditions['MakesTable']).toEqual({ 'Fn::Equals': ['new', 'new'] });
  });

  it('is deployed again after it was removed, onto the table that stayed: nothing refers to the one that it would make', async () => {
    const { template } = await made.template('prod', `${leastSettings}table: existing\n`);
    expect(template.Conditions['MakesTable']).toEqual({ 'Fn::Equals': ['existing', 'new'] });
    expect(JSON.stringify(template)).not.toMatch(/"Ref":"Table"|"Fn::GetAtt":\["Table"|\$\{Table\./);
    // Everything else goes with the stack, so no name is taken when it comes again.
    const stays = Object.entries(template.Resources).filter(([, { DeletionPolicy }]) => DeletionPolicy !== undefined);
    expect(stays.map(([name]) => name)).toEqual(['Table']);
  });

  it('says what a cluster, a subscriber and a git host are told', () => {
    expect(Object.keys(least.Outputs)).toEqual(
      expect.arrayContaining(['Table', 'QueueUrlPrefix', 'AlarmTopicArn', 'FunctionRoleNames', 'ImageRoleArn']),
    );
    expect(least.Outputs).not.toHaveProperty('HookUrl');
    expect(all.Outputs).toMatchObject({
      Table: { Value: 'acme-kpack-test' },
      HookUrl: { Value: { 'Fn::GetAtt': ['HooksLambdaFunctionUrl', 'FunctionUrl'] } },
      HookSecretParameter: { Value: '/acme-kpack/test/hook-secret' },
    });
    const roles = Object.keys(all.Resources).filter((name) => all.Resources[name]?.Type === 'AWS::IAM::Role');
    expect(roles.filter((name) => !(`${name}Arn` in all.Outputs))).toEqual([]);
  });

  it('is not made without the image of the build steps', async () => {
    const run = made.osls('--stage', 'prod', '--region', 'eu-west-1');
    await expect(run).rejects.toHaveProperty('stdout', expect.stringContaining('KPACKLESS_STEP_IMAGE'));
  });

  it('is not made without a region: nothing is deployed where nobody meant it', async () => {
    const run = made.osls('--stage', 'prod', '--param', 'stepImage=a');
    await expect(run).rejects.toHaveProperty('stdout', expect.stringContaining('provider.region'));
  });
});

describe('the template of who asks for everything', () => {
  it('has push hooks behind a URL, with the room that was reserved', () => {
    expect(ofType(all, 'Lambda::Url')).toHaveLength(1);
    expect(all.Resources['HooksLambdaFunction']).toMatchObject({ Properties: { ReservedConcurrentExecutions: 5 } });
  });

  it('puts every function into the VPC, and lets Lambda but not their code make network interfaces there', () => {
    for (const { Properties } of ofType(all, 'Lambda::Function'))
      expect(Properties['VpcConfig']).toEqual({
        SubnetIds: ['subnet-0123456789abcdef0'],
        SecurityGroupIds: ['sg-0123456789abcdef0'],
      });
    expect(all.Conditions['IsInVpc']).toEqual({ 'Fn::Not': [{ 'Fn::Equals': ['yes', ''] }] });
    const policies = ofType(all, 'IAM::Role').map(({ Properties }) => JSON.stringify(Properties['ManagedPolicyArns']));
    // Before a function is made, its role must have them.
    expect(policies.filter((arns) => !arns.includes('"LogsPolicy"'))).toEqual([]);
    expect(JSON.stringify(all.Resources['LogsPolicy'])).toContain('ec2:CreateNetworkInterface');
  });

  it('bounds every role, and encrypts queues, table, alarms and the environment of functions with its key', () => {
    for (const { Properties } of ofType(all, 'IAM::Role'))
      expect(Properties['PermissionsBoundary']).toBe('arn:aws:iam::123456789012:policy/boundary');
    const key = 'arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000';
    for (const { Properties } of [...ofType(all, 'SQS::Queue'), ...ofType(all, 'SNS::Topic')])
      expect(Properties['KmsMasterKeyId']).toBe(key);
    for (const { Properties } of ofType(all, 'Lambda::Function')) expect(Properties['KmsKeyArn']).toBe(key);
    expect(all.Resources['AlarmKey']).toMatchObject({ Condition: 'HasNoKey' });
    expect(all.Conditions['HasNoKey']).toEqual({ 'Fn::Equals': [key, ''] });
  });

  it('keeps logs as long as was asked for, lets builds put theirs into the bucket, and counts in its own namespace', () => {
    expect(ofType(all, 'Logs::LogGroup').map(({ Properties }) => Properties['RetentionInDays'])).toEqual(
      Array.from({ length: rows + 2 }, () => 30),
    );
    expect(JSON.stringify(all.Resources['BuildLogArchivePolicy'])).toContain(':s3:::my-bucket/builds/*"');
    expect(all.Resources['ImageLambdaFunction']).toHaveProperty(
      'Properties.Environment.Variables.KPACKLESS_METRICS_NAMESPACE',
      'acme-kpack-test',
    );
    expect(all.Resources['ForeignMessages']).toMatchObject({ Properties: { Namespace: 'acme-kpack-test' } });
  });
});

describe('the archives', () => {
  it('have one bundle and nothing else', async () => {
    const archives = (await readdir(join(made.folder, '.serverless'))).filter((file) => file.endsWith('.zip'));
    expect(archives.sort()).toEqual([...sqsRows.map(({ name }) => `${name}.zip`), 'sweeper.zip'].sort());
    for (const archive of archives) {
      const bytes = await readFile(join(made.folder, '.serverless', archive));
      // End of central directory: the number of entries (APPNOTE 4.3.16).
      expect(bytes.readUInt16LE(bytes.length - 22 + 10)).toBe(1);
    }
  });
});
