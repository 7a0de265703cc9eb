/** The command as a process, with the SDK, against an account that moto emulates: what asks AWS asks for what there is. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateClusterCommand, EKSClient } from '@aws-sdk/client-eks';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awsOf } from '../../../infra/command/aws.ts';
import { takeSteps } from '../../../infra/command/take-steps.ts';
import { describedCluster } from '../../../lib/eks/described.ts';
import { clusterRoleArn, type PlanInput, planOf, undoPlan } from '../../../lib/eks/plan.ts';
import type { Step } from '../../../lib/eks/step.ts';
import { DynamoDbTable } from '../../../lib/state/dynamodb-table.ts';
import { Records } from '../../../lib/state/records.ts';
import { ensureQueues } from '../../emulators/queues.ts';
import { ensureTable } from '../../emulators/table.ts';
import { describedEks } from '../../support/command-aws.ts';
import type { RunningOracle } from '../../support/oracle-process.ts';
import { startMoto } from '../../support/oracle-servers.ts';

const main = join(import.meta.dirname, '../../../infra/command/main.ts');
const found = await startMoto();
if ('missing' in found) process.stderr.write(`${found.missing}\n`);

describe.runIf('endpoint' in found)('kpackless against an account of moto', () => {
  const { endpoint, close } = found as RunningOracle;
  const options = { endpoint, region: 'eu-west-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } };
  const dynamo = new DynamoDBClient(options);
  const sqs = new SQSClient({ ...options, useQueueUrlAsEndpoint: false });
  beforeAll(async () => {
    await ensureTable(dynamo, 'kpackless-prod');
    await ensureQueues(sqs, 'kpackless-prod-');
  });
  afterAll(async () => {
    dynamo.destroy();
    sqs.destroy();
    await close();
  });

  const kpackless = (...args: readonly string[]) =>
    new Promise<{ readonly code: number; readonly out: string; readonly err: string }>((resolve) => {
      const env = {
        PATH: process.env['PATH'],
        AWS_ENDPOINT_URL: endpoint,
        AWS_ACCESS_KEY_ID: 'a',
        AWS_SECRET_ACCESS_KEY: 'b',
        AWS_REGION: 'eu-west-1',
      };
      execFile(process.execPath, [main, ...args], { env, timeout: 50_000 }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? 99), out, err }),
      );
    });

  it('finds an installation that is empty, and all of its queues', async () => {
    const { code, out, err } = await kpackless('status', '--output', 'json');
    expect([code, err]).toEqual([0, '']);
    const { installation, queues } = JSON.parse(out) as { installation: string; queues: unknown[] };
    expect(installation).toBe('kpackless-prod in eu-west-1 of account 123456789012');
    expect(queues).toHaveLength(13);
  });

  it('registers a cluster, and says of an object what is known', async () => {
    expect(await kpackless('cluster', 'add', 'onprem', '--secret', 'kpackless/prod/cluster/onprem')).toMatchObject({
      code: 0,
    });
    const target = { cluster: 'onprem', kind: 'Image', namespace: 'team', name: 'app' };
    await new Records(new DynamoDbTable(dynamo, 'kpackless-prod')).park(target, Math.floor(Date.now() / 1000) + 3600);
    const { code, out } = await kpackless('why', 'image/app', '-n', 'team');
    expect(code).toBe(0);
    expect(out).toMatch(/It is looked at at .* \(in 60 min\) at the latest/);
    expect((await kpackless('cluster', 'list')).out).toContain(
      'kubeconfig in secretsmanager:kpackless/prod/cluster/onprem',
    );
  });

  it('shows dead letters and takes them away', async () => {
    const target = { kind: 'Image', namespace: 'team', name: 'app' };
    const cause = { ...target, uid: 'u', resourceVersion: '1' };
    await sqs.send(
      new SendMessageCommand({
        QueueUrl: `${endpoint}/123456789012/kpackless-prod-image-dlq.fifo`,
        MessageBody: JSON.stringify({ v: 1, cluster: 'onprem', epoch: 'e', target, cause, reason: 'self' }),
        MessageGroupId: 'g',
        MessageDeduplicationId: 'd',
      }),
    );
    const listed = await kpackless('dlq', 'list');
    expect(listed.out).toContain('Image team/app in onprem, self');
    expect(await kpackless('dlq', 'drop', 'image', '--all')).toMatchObject({ code: 0 });
    expect(await kpackless('dlq', 'list')).toMatchObject({ code: 0 });
  });

  it('finds what is wrong with a cluster of EKS, and shows what would let it in', async () => {
    const eks = new EKSClient(options);
    await eks.send(
      new CreateClusterCommand({
        name: 'production',
        version: '1.33',
        roleArn: 'arn:aws:iam::123456789012:role/eks',
        resourcesVpcConfig: { subnetIds: [] },
      }),
    );
    eks.destroy();
    const image = `registry.example/relay@sha256:${'a'.repeat(64)}`;
    const add = ['cluster', 'add', 'prod', '--eks', 'production', '--relay-image', image] as const;
    const refused = await kpackless(...add);
    expect(refused.code).toBe(1);
    // moto knows neither access entries nor add-ons.
    expect(refused.err).toMatch(/refused: cluster production takes identities from ConfigMap aws-auth alone/);
    expect(refused.err).toMatch(/refused: cluster production has no EKS Pod Identity agent/);
    const printed = await kpackless(...add, '--irsa', '--print');
    expect(printed.code).toBe(0);
    expect(printed.out).toContain('aws iam create-open-id-connect-provider');
  });

  it('makes roles, policies and the issuer, finds them there the second time, and takes them back twice', async () => {
    const before = process.env['AWS_ENDPOINT_URL'];
    Object.assign(process.env, { AWS_ENDPOINT_URL: endpoint, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' });
    try {
      await using aws = awsOf({ installation: { region: 'eu-west-1' }, cluster: { region: 'eu-west-1' } });
      const take = (all: readonly Step[]) =>
        takeSteps(
          aws,
          all.filter(({ service }) => service === 'iam'),
          () => undefined,
          async () => undefined,
        );
      const described = describedCluster(describedEks({}, '123456789012'));
      const input = {
        cluster: 'prod',
        prefix: 'kpackless',
        boundary: undefined,
        kmsKey: undefined,
        described,
        installation: {
          partition: 'aws',
          account: '123456789012',
          region: 'eu-west-1',
          table: 'kpackless-prod',
          queuePrefix: 'kpackless-prod-',
          stack: 'kpackless-prod',
        },
        relay: 'irsa',
        isIssuerKnown: false,
        roleArn: undefined,
        associationId: undefined,
        pullPolicies: {},
      } satisfies PlanInput;
      const first = await take(planOf(input));
      const second = await take(planOf(input));
      expect(first.taken.map(({ taken }) => taken)).toEqual(['done', 'done', 'done', 'done']);
      expect(second.taken.map(({ taken }) => taken)).toEqual(['was there', 'was there', 'was there', 'done']);
      expect(second.said).toEqual(first.said);
      expect(first.said['relayRoleId']).toMatch(/^AROA/);
      const undo = undoPlan(
        'prod',
        { prefix: 'kpackless', eksName: 'production' },
        { roleArn: clusterRoleArn(input), associationId: undefined },
      );
      const gone = await take(undo);
      expect(gone.taken.filter(({ taken }) => taken === 'done').map(({ operation }) => operation)).toEqual([
        'DeleteRolePolicy',
        'DeleteRole',
        'DeleteRole',
      ]);
      expect((await take(undo)).taken.filter(({ taken }) => taken === 'done')).toEqual([]);
    } finally {
      if (before === undefined) delete process.env['AWS_ENDPOINT_URL'];
      else process.env['AWS_ENDPOINT_URL'] = before;
    }
  });

  it('names all that is missing of an installation that was never deployed', async () => {
    const { code, out } = await kpackless('doctor');
    expect(code).toBe(3);
    expect(out).toMatch(/WRONG +functions +image, build, .*: not there/);
    expect(out).toMatch(/ok +queues /);
  });
});
