/** A stolen relay: what it knows and may do is its own cluster's and nothing more (DESIGN §3.26). */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { SQSRecord } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { clusterConnections } from '../../lib/clusters/connect.ts';
import { registrations } from '../../lib/clusters/registrations.ts';
import { kubeClient } from '../../lib/kube/client.ts';
import { runBatch } from '../../lib/queue/batch.ts';
import type { Message } from '../../lib/queue/message.ts';
import { mayWake } from '../../lib/queue/senders.ts';
import { sqsRows } from '../../lib/reconcile/kind-table.ts';
import { startRelay } from '../../lib/relay/relay.ts';
import { Clusters } from '../../lib/state/clusters.ts';
import { registrationKey, relayKey } from '../../lib/state/keys.ts';
import { WatchHistory } from '../../lib/state/watch-history.ts';
import { type StateTables, stateTables } from '../support/state-table.ts';
import { watchServer } from '../support/watch-server.ts';

let tables: StateTables;
beforeAll(async () => {
  tables = await stateTables();
});
afterAll(() => tables[Symbol.asyncDispose]());

const read = (file: string): string => readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8');
const target = { kind: 'Image', namespace: 'team', name: 'app' };
const messageFor = (cluster: string): Message => ({
  v: 1,
  cluster,
  epoch: 'e.0',
  target,
  cause: { ...target, uid: 'u', resourceVersion: '7' },
  reason: 'self',
});
const record = (cluster: string, SenderId: string): SQSRecord =>
  ({
    messageId: `${cluster} by ${SenderId}`,
    receiptHandle: 'r',
    body: JSON.stringify(messageFor(cluster)),
    attributes: { ApproximateReceiveCount: '1', SenderId },
    messageAttributes: {},
  }) as SQSRecord;

const roleOf = { one: 'AROARELAYOFONE000001', two: 'AROARELAYOFTWO000002' };

/** Delivers to a function that knows what is registered. */
const deliver = async (clusters: Clusters, records: readonly SQSRecord[]) => {
  const ran: string[] = [];
  const logged: Record<string, unknown>[] = [];
  const counted: string[] = [];
  const known = registrations(clusters, () => new Date());
  const answer = await runBatch({ Records: [...records] }, () => 60, {
    runPass: async ({ cluster }) => {
      ran.push(cluster);
      return 'settled';
    },
    receipts: { delay: () => Promise.resolve(), delete: () => Promise.resolve(), requeue: () => Promise.resolve() },
    mayWake: mayWake({
      own: ['AROASWEEPER000000001'],
      relayRoleId: async (cluster) => (await known.get(cluster))?.relayRoleId,
    }),
    log: (_level, what, fields) => void logged.push({ what, ...fields }),
    metrics: { add: (name) => void counted.push(name), flush: () => undefined },
  });
  return { ran, logged, counted, failed: answer.batchItemFailures };
};

describe('a stolen relay', () => {
  it('wakes objects of its own cluster alone: what it says for another is acknowledged, counted and not believed', async () => {
    const clusters = new Clusters(await tables.empty());
    for (const name of ['one', 'two'] as const)
      await clusters.register(name, { access: 'in-cluster', relayRoleId: roleOf[name] });
    const { ran, logged, counted, failed } = await deliver(clusters, [
      record('two', `${roleOf.one}:stolen`),
      record('one', `${roleOf.one}:stolen`),
      record('unregistered', `${roleOf.one}:stolen`),
      record('two', 'AROASWEEPER000000001:sweeper'),
    ]);
    expect(ran).toEqual(['one', 'two']);
    expect(failed).toEqual([]);
    expect(counted.filter((name) => name === 'ForeignMessages')).toHaveLength(2);
    const foreign = logged.filter(({ what }) => String(what).includes('does not speak for its cluster'));
    expect(foreign.map(({ cluster }) => cluster)).toEqual(['two', 'unregistered']);
    expect(foreign[0]).toMatchObject({ sender: `${roleOf.one}:stolen` });
  });

  it('is not believed either when its cluster is not registered with its role', async () => {
    const clusters = new Clusters(await tables.empty());
    await clusters.register('one', { access: 'in-cluster' });
    expect((await deliver(clusters, [record('one', `${roleOf.one}:s`)])).ran).toEqual([]);
  });

  it('keeps its messages while the table cannot say whose they are', async () => {
    const away = { registration: () => Promise.reject(new Error('away')) } as unknown as Clusters;
    await expect(deliver(away, [record('one', `${roleOf.one}:s`)])).rejects.toThrow('away');
  });

  it('reads and writes one partition of the table: its own', async () => {
    const real = await tables.empty();
    const touched = new Set<string>();
    const table = new Proxy(real, {
      get: (of, name) => {
        const method: unknown = Reflect.get(of, name);
        if (typeof method !== 'function') return method;
        return (...given: readonly unknown[]): unknown => {
          touched.add(`${String(name)} ${String(given[0])}`);
          return Reflect.apply(method, of, given);
        };
      },
    });
    await using server = await watchServer();
    const stop = new AbortController();
    const sent: Message[] = [];
    const relay = startRelay(
      {
        cluster: 'one',
        transport: server.transport,
        kube: kubeClient(server.transport, stop.signal),
        history: new WatchHistory(table),
        sender: { send: async (_queue, messages) => void sent.push(...messages) },
        clock: () => new Date(),
        random: () => 0.5,
        log: () => undefined,
      },
      stop.signal,
    );
    await expect.poll(() => relay.notReady(), { timeout: 10_000 }).toStrictEqual([]);
    stop.abort();
    await relay.stopped;
    expect([...touched].sort()).toEqual([`get ${relayKey('one')}`, `update ${relayKey('one')}`]);
    expect(new Set(sent.map(({ cluster }) => cluster))).toEqual(new Set(['one']));
  });

  it('cannot move a cluster to a server of its own: what it may write is no registration', async () => {
    const table = await tables.empty();
    const clusters = new Clusters(table);
    await clusters.register('two', { access: 'eks', server: 'https://two', caData: '', eksName: 'two', region: 'r' });
    // Everything that its role lets it write, with whatever content.
    const stolen = { registration: JSON.stringify({ access: 'eks', server: 'https://attacker' }) };
    for (const sort of ['registration', 'history', 'record', 'checkpoint#Image'])
      await table.update(relayKey('two'), sort, { set: stolen });
    const opened: string[] = [];
    const connections = clusterConnections({
      registrations: registrations(clusters, () => new Date()),
      credentials: () => Promise.resolve({ accessKeyId: 'a', secretAccessKey: 's' }),
      clock: () => new Date(),
      connect: (config) => {
        opened.push(config.getCurrentCluster()?.server ?? '');
        return {
          server: '',
          send: () => Promise.reject(new Error('no')),
          stream: () => Promise.reject(new Error('no')),
          close: () => undefined,
        };
      },
    });
    const transport = await connections.transport('two');
    await expect(transport.send({ method: 'GET', path: '/' })).rejects.toThrow('no');
    expect(opened).toEqual(['https://two']);
    expect(relayKey('two')).not.toBe(registrationKey('two'));
  });
});

describe('what a relay is allowed', () => {
  interface Statement {
    readonly Effect: string;
    readonly Action: string | readonly string[];
    readonly Resource: unknown;
    readonly Condition?: unknown;
  }
  const sub = { tag: '!Sub', resolve: (text: string) => text };
  const lists = ['!If', '!Not', '!Equals'].map((tag) => ({ tag, collection: 'seq' as const }));
  const texts = ['!Ref', '!GetAtt'].map((tag) => ({ tag, resolve: (text: string) => `${tag} ${text}` }));
  const customTags = [sub, ...lists, ...texts];
  const template = parse(read('infra/relay-role.yml'), { customTags }) as {
    readonly Resources: {
      readonly RelayRole: {
        readonly Properties: {
          readonly Policies: readonly { readonly PolicyDocument: { readonly Statement: readonly Statement[] } }[];
          readonly AssumeRolePolicyDocument: { readonly Statement: readonly Statement[] };
        };
      };
    };
  };
  const { Policies, AssumeRolePolicyDocument } = template.Resources.RelayRole.Properties;
  const statements = Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);

  it('on AWS: to use the installation’s own key where there is one', () => {
    const { RelayRole: _, ...others } = template.Resources;
    expect(Object.keys(others)).toEqual(['RelayKeyPolicy']);
    expect(others).toMatchObject({ RelayKeyPolicy: { Condition: 'HasKey' } });
    expect(JSON.stringify(others)).toContain(
      '[{"Effect":"Allow","Action":["kms:Decrypt","kms:GenerateDataKey"],"Resource":"!Ref KmsKey"}]',
    );
  });

  it('on AWS: sending to queues, and its own partition of the table', () => {
    expect(statements.map(({ Effect, Action }) => [Effect, Action])).toEqual([
      ['Allow', 'sqs:SendMessage'],
      ['Allow', ['dynamodb:GetItem', 'dynamodb:UpdateItem']],
    ]);
    expect(statements[1]?.Condition).toEqual({
      'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['relay#${Cluster}'] },
    });
    const prefix = 'arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${QueuePrefix}';
    const queues = sqsRows.filter(({ watched, kind }) => watched || kind === 'Dependents' || kind === 'Bulk');
    expect(statements[0]?.Resource).toEqual(queues.map(({ name }) => `${prefix}${name}.fifo`));
  });

  it('on AWS: to be a pod of its cluster with its account, and nobody else', () => {
    expect(AssumeRolePolicyDocument.Statement).toEqual([
      expect.objectContaining({
        Condition: {
          StringEquals: {
            'aws:RequestTag/eks-cluster-name': '!Ref EksName',
            'aws:RequestTag/kubernetes-namespace': '!Ref Namespace',
            'aws:RequestTag/kubernetes-service-account': '!Ref ServiceAccount',
          },
        },
      }),
    ]);
  });

  it('in its cluster: to list and to watch', () => {
    const documents = parseAllDocuments(read('infra/cluster/relay-rbac.yaml')).map(
      (document) => document.toJS() as { kind: string; rules?: { verbs: string[]; resources: string[] }[] },
    );
    const rules = documents.flatMap(({ rules = [] }) => rules);
    expect(new Set(rules.flatMap(({ verbs }) => verbs))).toEqual(new Set(['list', 'watch']));
    expect(rules.flatMap(({ resources }) => resources)).not.toContain('secrets');
  });
});

describe('registrations', () => {
  it('are written by no function: whoever says where a cluster is, owns it', () => {
    const tags = ['!Ref', '!GetAtt', '!Sub', '!Not', '!Equals', '!Join', '!Split', '!If'].flatMap((tag) => [
      { tag, resolve: (text: string) => text },
      { tag, collection: 'seq' as const },
    ]);
    const { Resources } = parse(read('infra/roles.yml'), { merge: true, customTags: tags }) as {
      readonly Resources: Record<
        string,
        { readonly Properties: { readonly PolicyDocument?: { readonly Statement: unknown } } }
      >;
    };
    expect(Resources['TablePolicy']?.Properties.PolicyDocument?.Statement).toContainEqual(
      expect.objectContaining({
        Effect: 'Deny',
        Action: ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
        Condition: { 'ForAnyValue:StringLike': { 'dynamodb:LeadingKeys': ['registration#*', 'relay#*', 'clusters'] } },
      }),
    );
    // Who writes to the table by another policy is held to keys that are no registrations.
    const others = Object.entries(Resources).filter(([name]) => name !== 'TablePolicy');
    const text = JSON.stringify(others);
    for (const [, keys] of text.matchAll(
      /"dynamodb:(?:Update|Put|Delete)Item"[^}]*?"dynamodb:LeadingKeys":\[([^\]]*)\]/gu,
    ))
      expect(keys).not.toContain('registration');
    expect(text.match(/"dynamodb:(?:Update|Put|Delete)Item"/gu)).toHaveLength(1);
  });
});
