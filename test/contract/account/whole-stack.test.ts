/**
 * The whole of it on an emulated account: the template as osls deploys it, every function out of its own zip with its own role, queues mapped as the
 * template says, and two real API servers in which everything is named alike. What a role may not do fails the suite.
 */
import type { ChildProcess } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleImage, sampleObjects } from '../../../infra/local/sample/objects.ts';
import type { Message } from '../../../lib/queue/message.ts';
import { type EmulatedAccount, startAccount } from '../../account/account.ts';
import { startTokenWebhook } from '../../account/eks-tokens.ts';
import { grantsOf } from '../../account/permissions.ts';
import { unusedHere } from '../../account/unused-here.ts';
import { until } from '../../bench/wait.ts';
import { startWorld, type World } from '../../bench/world.ts';
import { apiServerIsHere } from '../../support/api-server.ts';

const undo: (() => unknown)[] = [];
const names = ['one', 'two'] as const;

interface Cluster {
  readonly name: string;
  readonly world: World;
  readonly relay: ChildProcess;
}

const isReady = (object: unknown): boolean =>
  (
    object as { status?: { conditions?: readonly { type: string; status: string }[] } } | undefined
  )?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;

/** Without what the stack adds to a name. */
const nameIn = (physical: string): string => /-(\w+(?:Role|Policy))-\w+$/.exec(physical)?.[1] ?? physical;

const account = apiServerIsHere
  ? await startAccount(`
region: eu-west-1
stepImage: registry.invalid/steps@sha256:${'0'.repeat(64)}
egressAllow: 127.0.0.1
hooks: true
# moto knows no DeletionPolicy and would delete the table with the stack, which a protected one refuses.
tableProtection: false
`)
  : { missing: 'an API server is not compiled yet' };
if ('missing' in account) process.stderr.write(`skipped: the whole stack on an emulated account: ${account.missing}\n`);

describe.skipIf('missing' in account)('the whole stack on an emulated account', () => {
  const the = account as EmulatedAccount;
  const clusters: Cluster[] = [];
  /** What `cluster add` said of each. */
  const said: string[] = [];

  const begin = async (name: (typeof names)[number], folder: string): Promise<Cluster> => {
    const { outputs } = the.deployed;
    const webhook = await startTokenWebhook(name, the.gate.endpoint, (role) => the.eks.groupsOf(name, role), folder);
    undo.push(() => webhook.close());
    const world = await startWorld({ tokenWebhook: webhook.configFile });
    undo.push(() => world.stop());
    const config = JSON.parse(await readFile(world.kubeconfig, 'utf8')) as {
      clusters: readonly { cluster: { server: string; 'certificate-authority-data': string } }[];
    };
    const { server = '', 'certificate-authority-data': caData = '' } = config.clusters[0]?.cluster ?? {};
    the.eks.open(name, { server, caData });
    // One relay is the command's, in the cluster; the other has a role of the template, as where it runs outside of its cluster.
    const place = {
      Cluster: name,
      EksName: name,
      Table: outputs['Table'] ?? '',
      QueuePrefix: outputs['QueuePrefix'] ?? '',
    };
    const template = name === 'two' ? await the.stack(`kpackless-relay-${name}`, 'relay-role.yml', place) : undefined;
    const whose = template
      ? ['--no-relay', '--relay-role-id', template['RelayRoleId'] ?? '']
      : ['--relay-image', `registry.invalid/relay@sha256:${'0'.repeat(64)}`];
    const added = ['cluster', 'add', name, '--eks', name, '--tenant-everywhere', '--kubeconfig', world.administrator];
    said.push(await the.command(...added, ...whose, '--output', 'json'));
    const relayArn = template?.['RelayRoleArn'] ?? the.eks.roleOf(name, 'kpack/kpackless-relay') ?? '';
    const relay = the.run('relay', {
      ...(await the.environmentOf({ name: '', id: '', statements: [], arn: relayArn })),
      KPACKLESS_CLUSTER: name,
      KPACKLESS_TABLE: outputs['Table'] ?? '',
      KPACKLESS_QUEUE_URL_PREFIX: outputs['QueueUrlPrefix'] ?? '',
      KPACKLESS_KUBECONFIG: await world.kubeconfigOf('kpackless-relay'),
      KPACKLESS_HEALTH_PORT: '0',
    });
    return { name, world, relay };
  };

  beforeAll(async () => {
    undo.push(() => the.close());
    const folder = mkdtempSync(join(tmpdir(), 'kpackless-clusters-'));
    undo.push(() => rmSync(folder, { recursive: true, force: true }));
    await the.begin();
    for (const name of names) clusters.push(await begin(name, folder));
  }, 300_000);
  afterAll(async () => {
    const log = process.env['KPACKLESS_ACCOUNT_LOG'];
    if (log !== undefined)
      writeFileSync(
        log,
        [...the.lines(), JSON.stringify([...the.gate.requests]), JSON.stringify([...the.gate.used])].join('\n'),
      );
    for (const step of undo.splice(0).toReversed()) await step();
  }, 120_000);

  it('is deployed by osls', () => {
    expect(the.said).toContain('Service deployed to stack');
    expect(the.deployed.functions.length).toBe(the.deployed.mappings.length + 2);
  });

  it('lets each cluster in by cluster add: roles, access entry, identity of the relay, definitions, registration', async () => {
    for (const [index, name] of names.entries()) {
      const { steps, ...rest } = JSON.parse(said[index] ?? '{}') as Readonly<Record<string, unknown>>;
      expect(rest).toMatchObject({ cluster: name, registered: true });
      expect((steps as readonly { readonly taken: string }[]).every(({ taken }) => taken === 'done')).toBe(true);
      expect(the.eks.groupsOf(name, `kpackless-${name}`)).toEqual(['kpackless']);
    }
    expect(the.eks.roleOf('one', 'kpack/kpackless-relay')).toContain(':role/kpackless-relay-one');
    expect(await the.command('cluster', 'list')).toMatch(/one[\s\S]*two/);
  }, 60_000);

  it('brings an Image in each of two clusters to its pod', async () => {
    await Promise.all(
      clusters.map(async ({ world }) => {
        const { registry, images, kube } = world;
        const source = { registry: { image: `${registry.host}/sample/source:1` } };
        for (const object of sampleObjects({ registry: registry.host, images, source, cacheSize: undefined }))
          await kube.apply(object);
        const pod = async () => (await kube.list('Pod', { namespace: 'sample' }))[0];
        await until('the pod of the Image', pod, { seconds: 90, everyMs: 500 });
        expect(isReady(await kube.get({ kind: 'ClusterBuilder', namespace: '', name: 'sample' }))).toBe(true);
      }),
    );
  }, 200_000);

  it('says of every pass in which invocation it was, and how it ended', () => {
    const passes = the
      .lines()
      .filter((line) => line.includes('"what":"pass finished"'))
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    expect(passes.length).toBeGreaterThan(10);
    const said = {
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      cluster: expect.any(String) as string,
    };
    expect(passes.filter(({ result }) => typeof result !== 'string')).toEqual([]);
    for (const pass of passes) expect(pass).toMatchObject(said);
  });

  it('takes a push hook with the secret of the parameter, as who may read that and nothing else', async () => {
    await the.parameter('/kpackless/prod/hook-secret', 'right');
    const body = JSON.stringify({ url: 'https://git.example/shop' });
    const event = (secret: string) => ({
      requestContext: { http: { method: 'POST' } },
      headers: { 'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}` },
      body,
      isBase64Encoded: false,
    });
    expect(await the.function('hooks').invoke(event('right'))).toMatchObject({ statusCode: 202 });
    expect(await the.function('hooks').invoke(event('wrong'))).toMatchObject({ statusCode: 401 });
  });

  it('brings dead letters back when the sweeper runs', async () => {
    const target = { kind: 'Image', namespace: 'sample', name: 'never-was' };
    const cause = { ...target, uid: 'u', resourceVersion: '1' };
    const message: Message = { v: 1, cluster: 'one', epoch: 'e.0', target, cause, reason: 'self' };
    await the.bury('image', message);
    expect(await the.function('sweeper').invoke({})).toMatchObject({ sent: expect.any(Number) as number });
    const back = () => the.lines().find((line) => line.includes('dead letters are brought back')) ?? undefined;
    const line = await until('the redrive', back, { seconds: 20, everyMs: 100 });
    expect(line).toContain('"queue":"image"');
    expect(line).toMatch(/"requestId":"[0-9a-f-]{36}"/);
  });

  it('goes on with one cluster while the other is away, and with both when it is back', async () => {
    const [one, two] = clusters.map(({ world }) => world);
    if (one === undefined || two === undefined) throw new Error('there are not two clusters');
    const podOf = (world: World, name: string) => async () => {
      const pods = await world.kube.list<Pod>('Pod', { namespace: 'sample' });
      return pods.find(({ metadata }) => metadata?.labels?.['image.kpack.io/image'] === name);
    };
    const make = (world: World, name: string) =>
      world.kube.apply(
        sampleImage(
          {
            registry: world.registry.host,
            source: { registry: { image: `${world.registry.host}/sample/source:1` } },
            cacheSize: undefined,
          },
          name,
        ),
      );
    const away = two.restartApiServer(10);
    await make(one, 'meanwhile');
    const pod = await until('the pod in the cluster that is there', podOf(one, 'meanwhile'), {
      seconds: 30,
      everyMs: 200,
    });
    expect(pod.metadata?.name).toBe('meanwhile-build-1-build-pod');
    await away;
    await make(two, 'afterwards');
    await until('the pod in the cluster that is back', podOf(two, 'afterwards'), { seconds: 60, everyMs: 200 });
  }, 120_000);

  it('refused nobody anything', () => {
    expect(the.gate.refused).toEqual([]);
  });

  it('granted nothing that is not used here or has its reason', () => {
    // A policy that many roles have in common is used when one of them uses it.
    const usedOf = new Set([...the.gate.used].map((line) => line.split(' ').slice(1).join(' ')));
    const isUsed = (role: string, grant: string): boolean =>
      the.gate.used.has(`${role} ${grant}`) || (/Policy-/.test(grant) && usedOf.has(grant));
    const granted = the.deployed.roles.flatMap(({ name, statements }) =>
      grantsOf(statements).map((grant) => ({
        isUsed: isUsed(name, grant),
        grant: `${nameIn(name)} ${grant.split(' ').map(nameIn).join(' ')}`,
      })),
    );
    const isTold = ({ grant }: { readonly grant: string }) => unusedHere.some(({ what }) => what.test(grant));
    expect(granted.filter((each) => !each.isUsed && !isTold(each))).toEqual([]);
    // A reason for what nobody is granted any more tells of another template. Which of two passes does a thing may differ.
    expect(unusedHere.filter(({ what }) => !granted.some(({ grant }) => what.test(grant)))).toEqual([]);
  });

  it('forgets a cluster by cluster remove, which proves that nothing is left, while the other goes on', async () => {
    const [one] = clusters;
    if (one === undefined) throw new Error('there is no cluster');
    one.relay.kill('SIGKILL');
    const removed = JSON.parse(await the.command('cluster', 'remove', 'one', '--output', 'json')) as {
      readonly deleted: Readonly<Record<string, number>>;
    };
    expect(removed).toMatchObject({ cluster: 'one', wasRegistered: true, left: {} });
    expect(removed.deleted['object']).toBeGreaterThan(5);
    expect(the.eks.groupsOf('one', 'kpackless-one')).toBeUndefined();
    expect(the.eks.roleOf('one', 'kpack/kpackless-relay')).toBeUndefined();
    expect(the.eks.groupsOf('two', 'kpackless-two')).toEqual(['kpackless']);
    const listed = await the.command('cluster', 'list', '--output', 'json');
    expect(listed).toContain('"two"');
    expect(listed).not.toContain('"one"');
  }, 200_000);

  it('is removed by osls', async () => {
    await the.pause();
    expect(await the.remove()).toMatch(/removed/);
  }, 120_000);
});
