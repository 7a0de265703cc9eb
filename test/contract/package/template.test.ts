/** `osls package` makes a CloudFormation template of serverless.yml without an account or network; this is what AWS would be given. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleAll } from '../../../infra/bundle.ts';
import { sqsRows } from '../../../lib/reconcile/kind-table.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));
const includes = ['queues', 'table', 'roles', 'alarms'].map((name) => `infra/${name}.yml`);

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

let folder = '';
let resources: Readonly<Record<string, Resource>> = {};
let conditions: Readonly<Record<string, unknown>> = {};

/** osls in the copy; with no home and no AWS variables it can reach nobody's account. */
const osls = (...args: readonly string[]) =>
  run(process.execPath, [join(root, 'node_modules/osls/bin/serverless.js'), 'package', ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, SLS_TRACKING_DISABLED: '1', SLS_NOTIFICATIONS_MODE: 'off' },
    timeout: 90_000,
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kpackless-package-'));
  for (const file of ['serverless.yml', ...includes]) await cp(join(root, file), join(folder, file));
  await bundleAll(join(folder, 'dist'));
  await osls('--param', 'stepImage=registry.invalid/steps@sha256:0', '--param', 'buildLogArchive=my-bucket/builds');
  const template = await readFile(join(folder, '.serverless/cloudformation-template-update-stack.json'), 'utf8');
  ({ Resources: resources, Conditions: conditions } = JSON.parse(template) as {
    Resources: typeof resources;
    Conditions: typeof conditions;
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const ofType = (type: string): readonly Resource[] => Object.values(resources).filter(({ Type }) => Type === type);

describe('the template', () => {
  it('lets builds put logs into the bucket that was asked for', () => {
    expect(conditions).toMatchObject({
      ArchivesBuildLogs: { 'Fn::Not': [{ 'Fn::Equals': ['my-bucket/builds', ''] }] },
    });
    expect(resources['BuildLogArchivePolicy']).toMatchObject({ Condition: 'ArchivesBuildLogs' });
    expect(JSON.stringify(resources['BuildLogArchivePolicy'])).toContain(':s3:::my-bucket/builds/*"');
  });

  it('has of everything as much as the kind table says', () => {
    const counts = Object.fromEntries(
      [
        'Lambda::Function',
        'Lambda::Url',
        'Lambda::EventSourceMapping',
        'SQS::Queue',
        'DynamoDB::Table',
        'IAM::Role',
      ].map((type) => [type, ofType(`AWS::${type}`).length]),
    );
    const rows = sqsRows.length;
    expect(counts).toEqual({
      'Lambda::Function': rows + 2,
      'Lambda::Url': 1,
      'Lambda::EventSourceMapping': rows,
      'SQS::Queue': 2 * rows,
      'DynamoDB::Table': 1,
      'IAM::Role': rows + 2,
    });
  });

  it('runs a sweep that failed no second time, and keeps none that waited for a minute', () => {
    expect(ofType('AWS::Lambda::EventInvokeConfig').map(({ Properties }) => Properties)).toMatchObject([
      { FunctionName: { Ref: 'SweeperLambdaFunction' }, MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
    ]);
  });

  it('maps every queue to its own function, ten messages at a time, with partial batch answers', () => {
    const mappings = ofType('AWS::Lambda::EventSourceMapping').map(({ Properties }) => Properties);
    const ends = mappings.map(({ EventSourceArn, FunctionName }) =>
      JSON.stringify([EventSourceArn, FunctionName])
        .replaceAll(/Queue|LambdaFunction|Dash/g, '')
        .toLowerCase(),
    );
    for (const [from, to] of ends.map((pair) => JSON.parse(pair) as [object, object])) expect(from).toEqual(to);
    expect(new Set(ends).size).toBe(sqsRows.length);
    for (const mapping of mappings)
      expect(mapping).toMatchObject({
        BatchSize: 10,
        Enabled: true,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
      });
  });

  it('runs every function on Node 24 and arm64, with a role of its own and the settings', () => {
    const functions = ofType('AWS::Lambda::Function').map(({ Properties }) => Properties);
    expect(new Set(functions.map(({ Role }) => JSON.stringify(Role))).size).toBe(functions.length);
    for (const one of functions) {
      expect(one).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] });
      expect(one).toHaveProperty('Environment.Variables.KPACKLESS_STEP_IMAGE', 'registry.invalid/steps@sha256:0');
    }
  });

  it('keeps logs of every function for two weeks', () => {
    const days = ofType('AWS::Logs::LogGroup').map(({ Properties }) => Properties['RetentionInDays']);
    expect(days).toEqual(Array.from({ length: sqsRows.length + 2 }, () => 14));
  });

  it('names only resources that it has', () => {
    const text = JSON.stringify(resources);
    const named = [
      ...[...text.matchAll(/"Fn::GetAtt":\["([^"]+)"/g)].map(([, name]) => name ?? ''),
      ...[...text.matchAll(/"Ref":"([^":]+)"/g)].map(([, name]) => name ?? ''),
      ...[...text.matchAll(/\$\{([A-Za-z]+)\.Arn\}/g)].map(([, name]) => name ?? ''),
    ];
    expect(named.length).toBeGreaterThan(100);
    expect(named.filter((name) => !(name in resources))).toEqual([]);
  });

  it('puts one bundle and nothing else into each archive', async () => {
    const archives = (await readdir(join(folder, '.serverless'))).filter((file) => file.endsWith('.zip'));
    expect(archives.sort()).toEqual([...sqsRows.map(({ name }) => `${name}.zip`), 'hooks.zip', 'sweeper.zip'].sort());
    for (const archive of archives) {
      const bytes = await readFile(join(folder, '.serverless', archive));
      // End of central directory: the number of entries (APPNOTE 4.3.16).
      expect(bytes.readUInt16LE(bytes.length - 22 + 10)).toBe(1);
    }
  });

  it('is not made without the image of the build steps', async () => {
    await expect(osls()).rejects.toHaveProperty('stdout', expect.stringContaining('KPACKLESS_STEP_IMAGE'));
  });
});
