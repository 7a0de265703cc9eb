/** `kpackless cluster remove` and `list`: nothing is left of a cluster, which is counted, and nobody else misses anything. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Circuits } from '../../../lib/state/circuits.ts';
import { Clusters } from '../../../lib/state/clusters.ts';
import { HostCircuits } from '../../../lib/state/host-circuits.ts';
import { clusterScope, hostScope, relayKey } from '../../../lib/state/keys.ts';
import { Polls } from '../../../lib/state/polls.ts';
import { Records } from '../../../lib/state/records.ts';
import { Slots } from '../../../lib/state/slots.ts';
import { StateError, type Table } from '../../../lib/state/table.ts';
import { WatchHistory } from '../../../lib/state/watch-history.ts';
import { fakeAws } from '../../support/command-aws.ts';
import { type CommandWorld, commandWorld } from '../../support/command-run.ts';

const now = Date.parse('2026-01-01T10:00:00Z') / 1000;
let world: CommandWorld;
beforeEach(() => {
  world = commandWorld({ sleep: async () => undefined });
});
afterEach(() => world[Symbol.dispose]());

/** Everything that a cluster can have in the table, through the classes that write it. */
const fill = async (table: Table, cluster: string): Promise<void> => {
  await new Clusters(table).register(cluster, { access: 'in-cluster' });
  const history = new WatchHistory(table);
  const epoch = await history.epoch(cluster, 'uid');
  await table.update(relayKey(cluster), 'place', { set: { epoch, at_Image: '7' } });
  const records = new Records(table);
  const image = { cluster, kind: 'Image', namespace: 'team', name: 'app' };
  await records.addEdges(image, await records.read(image), [{ kind: 'ClusterBuilder', namespace: '', name: 'base' }]);
  await records.park(image, now + 60);
  const poll = { cluster, kind: 'GitPoll', namespace: 'team', name: 'digest' };
  const request = { revision: 'main', isNew: true, seen: '-', secretName: undefined, place: 'place', dueAt: now };
  await new Polls(table).watch(poll, request);
  const circuits = new Circuits(table);
  await circuits.failed(clusterScope(cluster), now);
  await circuits.leftBackingOff(clusterScope(cluster), now);
  const host = hostScope({ scheme: 'https', host: 'git.example', port: 443 });
  await new HostCircuits(table).failed(host, { cluster, namespace: 'team' }, now);
  const slots = new Slots(table, () => new Date(now * 1000));
  const user = (name: string) => ({ user: { cluster, namespace: 'team', name, uid: name }, since: '2026' });
  for (const scope of ['installation', { cluster, namespace: 'team' }] as const)
    for (const name of ['a', 'b']) await slots.take({ scope, limit: scope === 'installation' ? 3 : 1 }, user(name));
};

const all = (): readonly string[] =>
  world.database
    .prepare('SELECT pk, sk, attributes FROM item ORDER BY pk, sk')
    .all()
    .map(({ pk, sk, attributes }) => `${String(pk)} ${String(sk)} ${String(attributes)}`);

describe('kpackless cluster remove', () => {
  it('leaves nothing of the cluster, in what clusters share neither, and proves it', async () => {
    await fill(world.table, 'prod');
    const { code, json } = await world.run('cluster', 'remove', 'prod', '--output', 'json');
    expect(code).toBe(0);
    expect(all().filter((item) => /\bprod\b/.test(item))).toEqual([]);
    expect(json).toMatchObject({
      wasRegistered: true,
      left: {},
      deleted: { object: 3, edge: 1, hook: 1, relay: 2, circuit: 3, slots: 2, member: expect.any(Number) as number },
    });
  });

  it('05#60 takes nothing from others, not even from one whose name begins alike', async () => {
    for (const cluster of ['prod', 'prod-2', 'pro']) await fill(world.table, cluster);
    const of = (cluster: string) => all().filter((item) => item.split(/[^\w-]/).includes(cluster)).length;
    const before = [of('prod-2'), of('pro')];
    await world.run('cluster', 'remove', 'prod');
    expect(of('prod')).toBe(0);
    expect([of('prod-2'), of('pro')]).toEqual(before);
  });

  it('goes on while messages are worked off, each of which may leave a trace', async () => {
    let looks = 0;
    world[Symbol.dispose]();
    world = commandWorld({
      sleep: async () => {
        looks += 1;
        if (looks === 1)
          await new Records(world.table).park({ cluster: 'prod', kind: 'Image', namespace: 'x', name: 'late' }, now);
        if (looks === 2) world.database.exec('DELETE FROM message');
      },
    });
    await fill(world.table, 'prod');
    const message = { target: 't', tenant: 'x', bulk: false, id: '1', body: '{}' };
    world.messages.add('image', [message], now * 1000);
    const { code, json } = await world.run('cluster', 'remove', 'prod', '--output', 'json');
    expect([code, looks]).toEqual([0, 2]);
    expect(json).toMatchObject({ left: {}, waiting: 0, deleted: { object: 4 } });
  });

  it('of a cluster that writes all the time says what is left, and ends with 3', async () => {
    world[Symbol.dispose]();
    world = commandWorld({
      sleep: async () => {
        world.now = new Date(world.now.getTime() + 60_000);
        await world.table.put('relay#prod', 'history', { epoch: 'uid.1' });
      },
    });
    world.messages.add('image', [{ target: 't', tenant: 'x', bulk: false, id: '1', body: '{}' }], now * 1000);
    const table = world.table;
    const remove = table.delete.bind(table);
    table.delete = async (pk, sk, expect) => (pk === 'relay#prod' ? true : remove(pk, sk, expect));
    await fill(table, 'prod');
    const { code, out } = await world.run('cluster', 'remove', 'prod', '--drain-seconds', '120');
    expect(code).toBe(3);
    expect(out).toMatch(/left: 2 items of its relay; does its relay still run\?/);
  });

  it('takes back what let it in: association, access entry, roles that were made for it', async () => {
    world[Symbol.dispose]();
    const { aws, asked } = fakeAws({
      ListPodIdentityAssociations: { associations: [{ associationId: 'a-1' }] },
      DeleteRole: ({ input }) => (String(input['RoleName']).includes('hop') ? 'NoSuchEntityException' : {}),
    });
    world = commandWorld({ aws });
    await new Clusters(world.table).register('prod', {
      access: 'eks',
      eksName: 'production',
      region: 'eu-west-1',
      server: 'https://k',
      caData: '',
      roleArn: 'arn:aws:iam::111111111111:role/kpackless-prod',
    });
    const { code, out } = await world.run('cluster', 'remove', 'prod');
    expect(code).toBe(0);
    expect(
      asked
        .filter(({ operation }) => operation.startsWith('Delete'))
        .map(({ side, operation }) => `${side} ${operation}`),
    ).toEqual([
      'cluster DeletePodIdentityAssociation',
      'cluster DeleteAccessEntry',
      'installation DeleteRolePolicy',
      'installation DeleteRole',
      'cluster DeleteRolePolicy',
      'cluster DeleteRole',
      'cluster DeleteRole',
    ]);
    expect(out).toContain('took back: role kpackless-relay-prod');
    expect(out).not.toContain('took back: role kpackless-relay-hop-prod');
  });

  it('that died before the registration went knows the next time what to take back', async () => {
    world[Symbol.dispose]();
    const { aws, asked } = fakeAws({ ListPodIdentityAssociations: { associations: [{ associationId: 'a-1' }] } });
    world = commandWorld({ aws, sleep: async () => undefined });
    const way = { eksName: 'production', region: 'eu-west-1', server: 'https://k', caData: '' };
    const roleArn = 'arn:aws:iam::111111111111:role/kpackless-prod';
    await new Clusters(world.table).register('prod', { access: 'eks', ...way, roleArn });
    const remove = world.table.delete.bind(world.table);
    let dies = true;
    world.table.delete = async (...given) => {
      if (dies) throw new StateError('died');
      return remove(...given);
    };
    expect((await world.run('cluster', 'remove', 'prod')).code).toBe(1);
    dies = false;
    asked.length = 0;
    expect((await world.run('cluster', 'remove', 'prod')).code).toBe(0);
    expect(asked.map(({ operation }) => operation)).toContain('DeleteAccessEntry');
    expect(all()).toEqual([]);
  });

  it('--drain-seconds that is no number ends with 2, and waits for nothing', async () => {
    const { code, err } = await world.run('cluster', 'remove', 'prod', '--drain-seconds', 'soon');
    expect(code).toBe(2);
    expect(err).toContain('it is a number from 0');
  });

  it('has no relay looked after any more while messages are worked off', async () => {
    const looked: (readonly string[])[] = [];
    world[Symbol.dispose]();
    world = commandWorld({
      sleep: async () => {
        looked.push(await new Clusters(world.table).names());
        world.database.exec('DELETE FROM message');
      },
    });
    await fill(world.table, 'prod');
    world.messages.add('image', [{ target: 't', tenant: 'x', bulk: false, id: '1', body: '{}' }], now * 1000);
    await world.run('cluster', 'remove', 'prod');
    expect(looked).toEqual([[]]);
  });

  it('forgets the cluster also when AWS does not let it take those back, and shows what does', async () => {
    world[Symbol.dispose]();
    world = commandWorld({ aws: fakeAws({ DeleteAccessEntry: 'AccessDeniedException' }).aws });
    const way = { eksName: 'production', region: 'eu-west-1', server: 'https://k', caData: '' };
    const roleArn = 'arn:aws:iam::111111111111:role/mine';
    await new Clusters(world.table).register('prod', { access: 'eks', ...way, roleArn });
    const { code, out } = await world.run('cluster', 'remove', 'prod');
    expect(code).toBe(0);
    expect(out).toContain('not all on AWS could be taken back: eks DeleteAccessEntry: AccessDeniedException');
    expect(out).toContain('aws eks delete-access-entry --region eu-west-1');
    expect(out).not.toContain('role/mine --');
    expect(all()).toEqual([]);
  });

  it('again, or of what there never was, changes nothing', async () => {
    const { code, out } = await world.run('cluster', 'remove', 'prod');
    expect(code).toBe(0);
    expect(out).toContain('deleted: nothing');
  });
});

describe('kpackless cluster list', () => {
  it('shows how each is entered and what it is granted, and what is left of others', async () => {
    const clusters = new Clusters(world.table);
    const prefix = '123456789012.dkr.ecr.eu-west-1.amazonaws.com/team-a';
    const grants = [{ prefix, access: 'write', namespaces: ['team-a'], clusterScoped: false }] as const;
    await clusters.register('prod', {
      access: 'stored',
      store: 'ssm',
      name: '/kpackless/cluster/prod',
      region: 'eu-west-1',
      form: 'kubeconfig',
      grants,
      relayRoleId: 'AROAEXAMPLE000000001',
    });
    await new Records(world.table).park({ cluster: 'old', kind: 'Image', namespace: 'a', name: 'b' }, now);
    const { code, out } = await world.run('cluster', 'list');
    expect(code).toBe(0);
    expect(out).toMatch(/^prod +stored +1 +AROAEXAMPLE000000001 +kubeconfig in ssm:\/kpackless\/cluster\/prod$/m);
    expect(out).toMatch(/^old +not registered/m);
    expect(out).toContain(`prod: write ${prefix} namespaces=team-a`);
  });
});
