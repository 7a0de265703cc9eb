/** What `kpackless why` says of an object: what happened last, what happens next, and when. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Reached } from '../../../infra/command/reach.ts';
import { isNamespaced } from '../../../lib/fleet/why/kind-named.ts';
import { queueRows } from '../../../lib/reconcile/kind-table.ts';
import { Circuits } from '../../../lib/state/circuits.ts';
import { Clusters } from '../../../lib/state/clusters.ts';
import { clusterScope, recordKey } from '../../../lib/state/keys.ts';
import { PollPages } from '../../../lib/state/poll-pages.ts';
import { Polls } from '../../../lib/state/polls.ts';
import { Records } from '../../../lib/state/records.ts';
import { type CommandWorld, commandWorld } from '../../support/command-run.ts';
import { FakeKube } from '../../support/fake-kube.ts';

const now = Date.parse('2026-01-01T10:00:00Z') / 1000;
const image = { cluster: 'prod', kind: 'Image', namespace: 'team', name: 'app' };
const at = (seconds: number): string => new Date((now + seconds) * 1000).toISOString();

let kube: FakeKube;
let world: CommandWorld;
beforeEach(async () => {
  kube = new FakeKube();
  world = commandWorld({ reach: async () => ({ client: kube, close: () => undefined }) as unknown as Reached });
  await new Clusters(world.table).register('prod', { access: 'in-cluster' });
});
afterEach(() => world[Symbol.dispose]());

/** An object of the cluster with one condition. */
const put = (kind: string, name: string, status: string, more: object = {}, statusMore: object = {}) =>
  kube.put({
    apiVersion: 'kpack.io/v1alpha2',
    kind,
    metadata: { name, namespace: isNamespaced(kind) ? 'team' : '', generation: 1, ...more },
    status: {
      observedGeneration: 1,
      conditions: [
        {
          type: kind === 'Build' ? 'Succeeded' : 'Ready',
          status,
          reason: 'Because',
          message: 'of something',
          lastTransitionTime: at(-600),
        },
      ],
      ...statusMore,
    },
  } as Parameters<FakeKube['put']>[0]);

/** What a pass has recorded. */
const record = (target: typeof image, set: Readonly<Record<string, string | number | readonly string[]>>) =>
  world.table.update(recordKey(target), 'record', { set: { attempts: 0, dueShard: 1, ...set } });

const why = async (...args: readonly string[]) => {
  const { code, out, err } = await world.run('why', ...args);
  const [, last = '', next = ''] = out.split(/What happened last\n|What happens next\n/);
  return { code, err, last, next };
};

describe('kpackless why', () => {
  it.each(queueRows.map(({ kind }) => kind).filter((kind) => kind !== 'Dependents'))(
    'of a %s that is settled says how it is and when it is looked at again',
    async (kind) => {
      if (kind !== 'GitPoll') put(kind, 'one', 'True');
      const namespace = isNamespaced(kind) ? 'team' : '';
      await record({ cluster: 'prod', kind, namespace, name: 'one' }, { dueAt: now + 7200 });
      const { code, last, next } = await why(`${kind}/one`, '-n', 'team');
      expect(code).toBe(0);
      expect(last).toContain('The last pass of it ended without a failure.');
      expect(last).toMatch(
        kind === 'GitPoll' ? /a failure/ : /(?:Ready|Succeeded) is True for 10 min \(Because: of something\)\./,
      );
      expect(next).toContain('It is looked at at 2026-01-01 12:00:00Z (in 2 h) at the latest');
    },
  );

  it('takes kinds as kubectl does, and says what it takes', async () => {
    put('ClusterStack', 'base', 'True');
    expect((await why('ClusterStacks/base')).last).toContain('Ready is True');
    put('Image', 'app', 'True');
    expect((await why('img/app', '-n', 'team')).last).toContain('Ready is True');
    const { code, err } = await why('pod/app');
    expect(code).toBe(2);
    expect(err).toContain('with a kind of image, build');
  });

  it('of what fails says how often and since when, and when it is tried again', async () => {
    put('Image', 'app', 'False');
    await record(image, { attempts: 4, failingSince: now - 240, dueAt: now + 90 });
    const { last, next } = await why('image/app', '-n', 'team');
    expect(last).toContain('Ready is False for 10 min (Because: of something).');
    expect(last).toContain('The last 4 passes failed, since 2026-01-01 09:56:00Z (4 min).');
    expect(next).toContain('(in 90 s) at the latest, to try again, ever more rarely while it fails.');
  });

  it('of what waits names what it waits for, as that is', async () => {
    put('Image', 'app', 'Unknown', {}, { latestBuildRef: 'app-build-3' });
    put('Build', 'app-build-3', 'Unknown');
    put('ClusterBuilder', 'base', 'False');
    await record(image, { dueAt: now + 300, edges: ['ClusterBuilder##base', 'Builder#team#gone'] });
    const { next } = await why('image/app', '-n', 'team');
    expect(next).toContain('It waits for Build team/app-build-3, whose Succeeded is Unknown for 10 min');
    expect(next).toContain('It waits for ClusterBuilder base, whose Ready is False for 10 min');
    expect(next).toContain('It waits for Builder team/gone, which there is not.');
    expect(next).toContain('as it is not finished');
    expect(next).toContain('A change of it, or of ClusterBuilder base, Builder team/gone wakes it at once.');
  });

  it('of an Image whose last Build has failed does not wait for that', async () => {
    put('Image', 'app', 'False', {}, { latestBuildRef: 'app-build-3' });
    put('Build', 'app-build-3', 'False');
    expect((await why('image/app', '-n', 'team')).next).not.toContain('app-build-3');
  });

  it('of a Build that runs says how its pod is', async () => {
    put('Build', 'b', 'Unknown');
    kube.put({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'b-build-pod', namespace: 'team' },
      status: { phase: 'Pending' },
    } as Parameters<FakeKube['put']>[0]);
    await record({ ...image, kind: 'Build', name: 'b' }, { dueAt: now + 300 });
    expect((await why('build/b', '-n', 'team')).next).toContain('Pod team/b-build-pod is Pending');
  });

  it('of a Build that has ended expects nothing', async () => {
    put('Build', 'b', 'False');
    await record({ ...image, kind: 'Build', name: 'b' }, { dueAt: now + 300 });
    expect((await why('build/b', '-n', 'team')).next).toContain('It has ended and stays as it is.');
  });

  it('of a paused Image says that', async () => {
    put('Image', 'app', 'True', { annotations: { 'image.kpack.io/paused': 'true' } });
    expect((await why('image/app', '-n', 'team')).next).toContain(
      'No Build is made while annotation image.kpack.io/paused',
    );
  });

  it('says first when its cluster does not answer', async () => {
    put('Image', 'app', 'True');
    await record(image, { dueAt: now - 400 });
    await new Circuits(world.table).failed(clusterScope('prod'), now);
    const { next } = await why('image/app', '-n', 'team');
    expect(next).toMatch(/^ {2}Nothing is asked of cluster prod before 2026-01-01 10:00:02Z \(in 2 s\)/);
    expect(next).toContain('It has been due for 7 min, and waits for its cluster.');
  });

  it('tells a due time that the next sweep finds from one that no sweep has found', async () => {
    put('Image', 'app', 'True');
    await record(image, { dueAt: now - 10 });
    expect((await why('image/app', '-n', 'team')).next).toContain('the next sweep wakes it');
    await record(image, { dueAt: now - 1000 });
    expect((await why('image/app', '-n', 'team')).next).toContain('a sweeper that does not run');
  });

  it('of a SourceResolver says when its repository was asked, why that failed and when it is asked again', async () => {
    put('SourceResolver', 'app-source', 'True');
    const poll = { cluster: 'prod', kind: 'GitPoll', namespace: 'team', name: 'digest' };
    const polls = new Polls(world.table);
    const request = { revision: 'main', isNew: true, seen: '-', secretName: undefined, place: 'p', dueAt: now + 60 };
    await polls.watch(poll, request);
    await polls.saveResult(poll, { askedAt: now - 30, attempts: 2, failure: 'no such host', dueAt: now + 240 });
    await record(
      { ...image, kind: 'SourceResolver', name: 'app-source' },
      { dueAt: now + 7200, edges: ['GitPoll#team#digest'] },
    );
    const { last, next } = await why('sourceresolver/app-source', '-n', 'team');
    expect(last).toContain('Its repository was last asked 30 s ago, and has failed 2 times in a row (no such host).');
    expect(next).toContain('Its repository is asked again at 2026-01-01 10:04:00Z (in 4 min); a push hook is sooner.');
  });

  it('of a SourceResolver whose poll lies in a page says when that was asked, and when it is next', async () => {
    put('SourceResolver', 'app-source', 'True');
    const poll = { cluster: 'prod', kind: 'GitPoll', namespace: 'team', name: 'digest' };
    const [polls, pages] = [new Polls(world.table), new PollPages(world.table)];
    const request = { revision: 'main', isNew: true, seen: '-', secretName: undefined, place: 'p', dueAt: now + 60 };
    await polls.watch(poll, request);
    const row = { poll, follower: 'app-source', secretName: undefined, hookedAt: undefined, answers: [], lookAt: now };
    const page = await pages.enter(row, 300, () => now + 200);
    const found = await polls.read(poll);
    if (found === undefined) throw new Error('there is no row');
    await polls.joinPage(poll, found, page.name, { askedAt: now - 9000, attempts: 0, failure: undefined });
    await pages.finish(page, now - 100);
    await record(
      { ...image, kind: 'SourceResolver', name: 'app-source' },
      { dueAt: now + 7200, edges: ['GitPoll#team#digest'] },
    );
    const { last, next } = await why('sourceresolver/app-source', '-n', 'team');
    expect(last).toContain('Its repository was last asked 100 s ago.');
    expect(next).toContain('Its repository is asked again at 2026-01-01 10:03:20Z (in 3 min); a push hook is sooner.');
  });

  it('of what nobody has looked at says whose turn it is', async () => {
    put('Image', 'app', 'True');
    const { next } = await why('image/app', '-n', 'team');
    expect(next).toContain('A pass has to look at it first: 0 messages wait in queue image.');
  });

  it('of what there is not says so', async () => {
    const { last, next } = await why('image/none', '-n', 'team');
    expect(last).toContain('There is no Image team/none in cluster prod.');
    expect(next).toContain('Nothing: there is nothing of that name');
  });

  it('of a cluster that is not registered says what to do', async () => {
    await record({ ...image, cluster: 'old' }, { unregisteredAt: now - 86_400, dueAt: now + 3600 });
    const { last, next } = await why('image/app', '-n', 'team', '--cluster', 'old');
    expect(last).toContain('Passes have found its cluster not registered for 24 h.');
    expect(next).toContain('kpackless cluster add old');
    expect(next).toContain('after two days it is forgotten');
  });

  it('where there are several clusters asks which', async () => {
    await new Clusters(world.table).register('test', { access: 'in-cluster' });
    const { code, err } = await why('image/app');
    expect(code).toBe(2);
    expect(err).toContain('--cluster prod | test');
  });

  it('tells of recent passes, and of dead letters that may be about it', async () => {
    put('Image', 'app', 'True');
    world.passes.push({ at: at(-5), what: 'pass finished', result: 'settled', ms: 80 });
    world.messages.add('image-dlq', [{ target: 't', tenant: 'x', bulk: false, id: '1', body: '{}' }], now * 1000);
    const { last, next } = await why('image/app', '-n', 'team');
    expect(last).toContain('2026-01-01T09:59:55.000Z pass finished: settled in 80 ms');
    expect(next).toContain('Queue image has 1 dead letters, perhaps about it: kpackless dlq list image.');
  });

  it('is answered from the table alone when the cluster cannot be reached, and says what is missing', async () => {
    using blind = commandWorld();
    await new Clusters(blind.table).register('prod', { access: 'in-cluster' });
    await new Records(blind.table).park(image, now + 60);
    const { code, out } = await blind.run('why', 'image/app', '-n', 'team');
    expect(code).toBe(0);
    expect(out).toContain('Its conditions are not known: no cluster can be reached in this test.');
    expect(out).toContain('(in 60 s) at the latest');
  });

  it('says the same to programs, with what it was made of', async () => {
    put('Image', 'app', 'False');
    await record(image, { attempts: 1, dueAt: now + 90 });
    const { json } = await world.run('why', 'image/app', '-n', 'team', '--output', 'json');
    expect(json).toMatchObject({
      target: image,
      dueAt: now + 90,
      record: { attempts: 1 },
      conditions: [{ status: 'False' }],
    });
  });
});
