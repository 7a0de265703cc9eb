/** What `kpackless status` says of an installation. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Circuits } from '../../../lib/state/circuits.ts';
import { Clusters } from '../../../lib/state/clusters.ts';
import { clusterScope, hostScope, recordKey, relayKey, tenantScope } from '../../../lib/state/keys.ts';
import { Records } from '../../../lib/state/records.ts';
import { WatchHistory } from '../../../lib/state/watch-history.ts';
import { type CommandWorld, commandWorld } from '../../support/command-run.ts';

let world: CommandWorld;
beforeEach(() => {
  world = commandWorld();
});
afterEach(() => world[Symbol.dispose]());

const now = Date.parse('2026-01-01T10:00:00Z') / 1000;
const image = (cluster: string, name: string) => ({ cluster, kind: 'Image', namespace: 'team', name });

/** A cluster whose relay watches it, with one settled Image. */
const healthy = async (cluster = 'prod'): Promise<void> => {
  await new Clusters(world.table).register(cluster, { access: 'in-cluster' });
  const history = new WatchHistory(world.table);
  const epoch = await history.epoch(cluster, 'uid');
  await world.table.update(relayKey(cluster), 'place', { set: { epoch, at_Image: '7' } });
  await new Records(world.table).park(image(cluster, 'app'), now + 3600);
};

describe('kpackless status', () => {
  it('of an installation in which all is well names clusters with their objects, and ends with 0', async () => {
    await healthy();
    const { code, out } = await world.run('status');
    expect(code).toBe(0);
    expect(out).toMatch(/^prod +in-cluster +answers +1 watches +1 +0 +0$/m);
    expect(out).toContain('Nothing wants a person.');
  });

  it('says the same to programs', async () => {
    await healthy();
    const { json } = await world.run('status', '--output', 'json');
    expect(json).toMatchObject({
      clusters: [
        { name: 'prod', objects: { Image: 1 }, overdue: 0, relay: { epoch: 'uid.0', checkpoints: { Image: '7' } } },
      ],
      troubles: [],
    });
  });

  it('says what wants a person, each with the command to go on with, and ends with 3', async () => {
    await healthy();
    await new Circuits(world.table).failed(clusterScope('prod'), now);
    await new Records(world.table).park(image('gone', 'app'), now + 60);
    const letter = { target: 't', tenant: 'x', bulk: false, id: '1', body: '{}' };
    world.messages.add('image-dlq', [letter], now * 1000);
    const { code, out } = await world.run('status');
    expect(code).toBe(3);
    expect(out).toContain('! cluster prod does not answer: its next probe is in 2 s; kpackless cluster check prod');
    expect(out).toMatch(/! cluster gone is not registered, and 1 of its objects are remembered: kpackless cluster add/);
    expect(out).toContain('! queue image has 1 dead letters: kpackless dlq list image');
  });

  it('notices a sweeper that does not sweep by due times that came long ago', async () => {
    await healthy();
    await new Records(world.table).park(image('prod', 'late'), now - 900);
    const { out } = await world.run('status');
    expect(out).toContain('! cluster prod: 1 objects have been due for up to 15 min: does the sweeper run?');
  });

  it('notices a relay that is dead by its heartbeat', async () => {
    await healthy();
    await world.table.update('relay#prod', 'place', { set: { at_Build: '9', beatAt: now - 400, lagSeconds: 3 } });
    const { out } = await world.run('status');
    expect(out).toContain('! the relay of cluster prod has not been heard of for 7 min');
  });

  it('notices a relay that lives and cannot watch', async () => {
    await healthy();
    await world.table.update('relay#prod', 'place', { set: { beatAt: now - 5, notWatched: ['Image'] } });
    expect((await world.run('status')).out).toContain('! the relay of cluster prod cannot watch Image');
  });

  it('does not call overdue what is parked behind a cluster that is down', async () => {
    await healthy();
    await world.table.update(recordKey(image('prod', 'parked')), 'record', { set: { dueAt: now - 900, dueShard: 99 } });
    const { json } = await world.run('status', '--output', 'json');
    expect(json).toMatchObject({ clusters: [{ parked: 1, overdue: 0 }], troubles: [] });
  });

  it('counts objects whose passes fail', async () => {
    await healthy();
    await world.table.update(recordKey(image('prod', 'bad')), 'record', {
      set: { attempts: 3, failingSince: now - 60, dueAt: now + 60, dueShard: 1 },
    });
    const { json } = await world.run('status', '--output', 'json');
    expect(json).toMatchObject({ clusters: [{ failing: 1, failingLongestSince: now - 60, objects: { Image: 2 } }] });
  });

  it('names hosts that are left alone, for whom it is', async () => {
    await healthy();
    const host = hostScope({ scheme: 'https', host: 'git.example', port: 443 });
    await new Circuits(world.table).failed(tenantScope(host, { cluster: 'prod', namespace: 'team' }), now);
    const { out } = await world.run('status');
    expect(out).toContain('  https://git.example:443#prod#team, 2 s more');
  });
});
