/** `kpackless cluster check` from AWS's side and the table's; the cluster's side is on a real API server (test/contract/command). */
import { afterEach, describe, expect, it } from 'vitest';
import { isWithin } from '../../../infra/command/cluster/contents.ts';
import { tryHost } from '../../../infra/command/cluster/hosts.ts';
import { functionDeeds, relayDeeds, tenantDeeds } from '../../../infra/command/cluster/permissions.ts';
import { deedsOf, showDeed } from '../../../lib/kube/access-review.ts';
import { Circuits } from '../../../lib/state/circuits.ts';
import { Clusters } from '../../../lib/state/clusters.ts';
import { clusterScope } from '../../../lib/state/keys.ts';
import { WatchHistory } from '../../../lib/state/watch-history.ts';
import { type Answers, describedEks, fakeAws } from '../../support/command-aws.ts';
import { type CommandWorld, commandWorld } from '../../support/command-run.ts';

const open: CommandWorld[] = [];
afterEach(() => {
  for (const world of open.splice(0)) world[Symbol.dispose]();
});

const entry = { DescribeAccessEntry: { accessEntry: { kubernetesGroups: ['kpackless'] } } };
const association = { ListPodIdentityAssociations: { associations: [{ associationId: 'a-1' }] } };

/** What is found of a cluster of EKS whose API cannot be reached from here. */
const check = async (answers: Answers = {}, more: object = {}) => {
  const world = commandWorld({ aws: fakeAws({ ...entry, ...association, ...answers }).aws });
  open.push(world);
  await new Clusters(world.table).register('prod', {
    access: 'eks',
    eksName: 'production',
    region: 'eu-west-1',
    server: 'https://k.example',
    caData: 'Q0E=',
    roleArn: 'arn:aws:iam::111111111111:role/kpackless-prod',
    relayRoleId: 'AROAEXAMPLE000000001',
    ...more,
  });
  await new WatchHistory(world.table).epoch('prod', 'uid');
  return { world, ...(await world.run('cluster', 'check', 'prod')) };
};

describe('kpackless cluster check', () => {
  it('of a cluster that is as it should be says what it looked at, and what it could not', async () => {
    const { code, out } = await check();
    expect(code).toBe(0);
    expect(out).toMatch(/^ok +EKS +production is ACTIVE, Kubernetes 1\.33, where it is registered$/m);
    expect(out).toMatch(/^ok +access entry /m);
    expect(out).toMatch(/^\? +API server +no cluster can be reached in this test$/m);
  });

  it.each([
    [
      'an access entry without the group',
      { DescribeAccessEntry: { accessEntry: { kubernetesGroups: [] } } },
      /is not in group kpackless/,
    ],
    ['an agent that was taken away', { DescribeAddon: 'ResourceNotFoundException' }, /no EKS Pod Identity agent/],
    [
      'another address than is registered',
      { DescribeCluster: describedEks({ endpoint: 'https://new' }) },
      /another than what is registered/,
    ],
  ] satisfies readonly (readonly [string, Answers, RegExp])[])(
    'finds %s, and ends with 3',
    async (_, answers, said) => {
      const { code, out } = await check(answers);
      expect(code).toBe(3);
      expect(out).toMatch(said);
    },
  );

  it('does not miss the agent of a relay that takes its role by its ServiceAccount', async () => {
    const { code } = await check({
      DescribeAddon: 'ResourceNotFoundException',
      ListPodIdentityAssociations: { associations: [] },
    });
    expect(code).toBe(0);
  });

  it('goes on when AWS does not answer one question', async () => {
    const { out } = await check({ DescribeAccessEntry: 'AccessDeniedException' });
    expect(out).toMatch(/^\? +access entry +eks DescribeAccessEntry: AccessDeniedException/m);
    expect(out).toMatch(/^ok +EKS /m);
  });

  it('says when functions do not reach it, and when no relay is registered', async () => {
    const { world } = await check({}, { relayRoleId: undefined });
    await new Circuits(world.table).failed(clusterScope('prod'), Date.parse('2026-01-01T10:00:00Z') / 1000);
    const { out } = await world.run('cluster', 'check', 'prod');
    expect(out).toMatch(/WRONG +table +cluster prod does not answer/);
    expect(out).toMatch(/WRONG +table +cluster prod has no role of a relay registered/);
  });

  it('of a cluster that is not registered names those that are', async () => {
    const { world } = await check();
    const { code, err } = await world.run('cluster', 'check', 'production');
    expect(code).toBe(1);
    expect(err).toContain('cluster production is not registered; there are prod');
  });
});

describe('the verbs that are asked for', () => {
  it('are those of the RBAC that is installed, each of each resource', () => {
    const shown = (deeds: readonly Parameters<typeof showDeed>[0][]) => deeds.map(showDeed);
    expect(shown(functionDeeds())).toContain('update images.kpack.io/status');
    expect(shown(tenantDeeds('team-a'))).toEqual([
      'get secrets in team-a',
      'get configmaps in team-a',
      'get serviceaccounts in team-a',
      'list serviceaccounts in team-a',
      'get namespaces in team-a',
      'get pods in team-a',
      'create pods in team-a',
      'patch pods in team-a',
      'delete pods in team-a',
      'get pods/log in team-a',
      'get persistentvolumeclaims in team-a',
      'create persistentvolumeclaims in team-a',
      'update persistentvolumeclaims in team-a',
      'delete persistentvolumeclaims in team-a',
    ]);
    expect(relayDeeds().find(({ resource }) => resource === 'namespaces')).toEqual({
      verb: 'list',
      group: '',
      resource: 'namespaces',
      name: 'kube-system',
    });
  });

  it('of a rule without resources are none', () => {
    expect(deedsOf([{ apiGroups: [''], resources: [], verbs: ['get'] }], () => [])).toEqual([]);
  });
});

describe('a definition in a cluster', () => {
  it('is ours when it says all that ours says, and may say more', () => {
    expect(isWithin({ a: [{ b: 1 }] }, { a: [{ b: 1, c: 2 }], d: 3 })).toBe(true);
    expect(isWithin({ a: [{ b: 1 }] }, { a: [{ b: 2 }] })).toBe(false);
    expect(isWithin({ a: [1, 2] }, { a: [1] })).toBe(false);
    expect(isWithin({ a: 1 }, {})).toBe(false);
  });
});

describe('a host that objects name', () => {
  const host = { what: 'git', host: 'git.example', url: 'https://git.example/' } as const;
  const circuit = (scope: string) => [{ scope, openUntil: 1, failures: 1 }];

  it('that functions hear nothing of is wrong, whatever it says here', async () => {
    const found = await tryHost(host, async () => 200, circuit('https://git.example:443#prod#team'), 'prod');
    expect(found.map(({ state }) => state)).toEqual(['well', 'wrong']);
  });

  it('that functions of another cluster hear nothing of is well', async () => {
    const found = await tryHost(host, async () => 200, circuit('https://git.example:443#other#team'), 'prod');
    expect(found.map(({ state }) => state)).toEqual(['well', 'well']);
  });

  it('that only functions reach is no fault', async () => {
    const failing = () => Promise.reject(new Error('no such host (ENOTFOUND)'));
    const found = await tryHost(host, failing, [], 'prod');
    expect(found.map(({ state }) => state)).toEqual(['unknown', 'well']);
  });
});
