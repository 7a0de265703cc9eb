/** The largest item of each kind beside an object's record (records-size.test.ts): names as long as Kubernetes lets them be, every list at its bound. */
import { describe, expect, it } from 'vitest';
import { openDatabase } from '../../../lib/embedded/database.ts';
import { sqliteTable } from '../../../lib/embedded/sqlite-table.ts';
import { GitError } from '../../../lib/git/errors.ts';
import { watchedKinds } from '../../../lib/relay/pointers.ts';
import { showFailure } from '../../../lib/sources/git-poll.ts';
import { Circuits, enoughWitnesses } from '../../../lib/state/circuits.ts';
import { Clusters } from '../../../lib/state/clusters.ts';
import { HostCircuits } from '../../../lib/state/host-circuits.ts';
import { clusterScope, hostScope, tellingOf } from '../../../lib/state/keys.ts';
import { fitsRow, PollPages } from '../../../lib/state/poll-pages.ts';
import { Polls } from '../../../lib/state/polls.ts';
import { Records } from '../../../lib/state/records.ts';
import { Redrives } from '../../../lib/state/redrives.ts';
import { Slots } from '../../../lib/state/slots.ts';
import { mostItemBytes, type Table } from '../../../lib/state/table.ts';
import { WatchHistory } from '../../../lib/state/watch-history.ts';

const cluster = 'c'.repeat(100);
const namespace = 'n'.repeat(63);
const name = 'x'.repeat(253);
const uid = '01234567-89ab-cdef-0123-456789abcdef';
const poll = { cluster, kind: 'GitPoll', namespace, name: 'f'.repeat(40) };
const now = 1_700_000_000;

/** What one kind of item grows with, written as often as somebody would. */
const kinds: Readonly<Record<string, { readonly bytes: number; write(table: Table): Promise<unknown> }>> = {
  'a revision of a poll that all followers see differently': {
    bytes: 3000,
    write: async (table) => {
      for (let follower = 0; follower < 100; follower += 1)
        await new Polls(table).watch(poll, {
          revision: 'r'.repeat(1000),
          isNew: follower === 0,
          seen: `${follower}`.padStart(200, 's'),
          secretName: name,
          place: 'p'.repeat(64),
          dueAt: now,
        });
    },
  },
  'a poll of a repository with a very long URL, whose host says very much': {
    bytes: 20_000,
    write: async (table) => {
      const polls = new Polls(table);
      const why = new GitError('protocol', `https://host/${'ü'.repeat(500_000)} is no repository`, { host: 'host' });
      await polls.watch(poll, { revision: 'main', isNew: true, seen: '', secretName: name, place: 'p', dueAt: now });
      await polls.saveResult(poll, { askedAt: now, attempts: 9, failure: showFailure(why), dueAt: now });
    },
  },
  'a row of a page of polls, and the page': {
    bytes: 3000,
    write: async (table) => {
      const answers = [['r'.repeat(1400), '-']] as const;
      expect([fitsRow(answers), fitsRow([...answers, ['r'.repeat(100), '-']])]).toEqual([true, false]);
      const row = { poll, follower: name, secretName: name, hookedAt: now, answers, lookAt: now };
      await new PollPages(table).enter(row, 604_800, () => now);
    },
  },
  'an edge, and who follows it': {
    bytes: 1200,
    write: async (table) => {
      const target = { cluster, kind: 'ClusterBuildpack', namespace, name };
      await new Records(table).addEdges(target, await new Records(table).read(target), [target]);
    },
  },
  'a telling that is put off': {
    bytes: 3000,
    write: async (table) => {
      const later = tellingOf({ cluster, kind: 'ClusterBuildpack', namespace, name });
      const end = { resourceVersion: undefined, epoch: 'e'.repeat(512), attempts: 99, dueAt: now, edges: undefined };
      await new Records(table).finish(later, await new Records(table).read(later), end);
    },
  },
  'the circuit of a host that very many complain of': {
    bytes: 2000,
    write: async (table) => {
      const host = hostScope({ scheme: 'https', host: 'h'.repeat(253), port: 65_535 });
      for (let tenant = 0; tenant < 50; tenant += 1)
        await new HostCircuits(table).failed(host, { cluster, namespace: `${tenant}`.padStart(63, 'n') }, now);
    },
  },
  'the circuit of a cluster': {
    bytes: 500,
    write: async (table) => {
      for (let failures = 0; failures < 50; failures += 1)
        await new Circuits(table).failed(clusterScope(cluster), now + failures * 600, 1e9);
    },
  },
  'the slots of the largest cap, all of them taken': {
    bytes: 380_000,
    write: async (table) => {
      const slots = new Slots(table, () => new Date(now * 1000));
      const cap = { scope: 'installation' as const, limit: 800 };
      for (let build = 0; build < 810; build += 1)
        await slots.take(cap, {
          user: { cluster, namespace, name: `${build}`.padStart(253, 'b'), uid },
          since: '2026-11-21T10:00:00Z',
        });
    },
  },
  'a registration with every grant': {
    bytes: 60_000,
    write: (table) =>
      new Clusters(table).register(cluster, {
        access: 'eks',
        server: `https://${'s'.repeat(253)}`,
        caData: 'A'.repeat(8000),
        eksName: cluster,
        region: 'eu-west-1',
        roleArn: `arn:aws:iam::123456789012:role/${'r'.repeat(512)}`,
        relayRoleId: `AROA${'A'.repeat(124)}`,
        grants: Array.from({ length: 50 }, () => ({
          prefix: `r.test/${name}`,
          access: 'write' as const,
          namespaces: [namespace, namespace],
          clusterScoped: true,
          roleArn: `arn:aws:iam::123456789012:role/${'r'.repeat(300)}`,
        })),
      }),
  },
  'how far the watches of a cluster have come': {
    bytes: 2000,
    write: (table) =>
      new WatchHistory(table).save(
        cluster,
        'e'.repeat(512),
        new Map(watchedKinds.map(({ kind }) => [kind, '9'.repeat(39)])),
        { beatAt: now, lagSeconds: 99_999, notWatched: watchedKinds.map(({ kind }) => kind) },
      ),
  },
  'a redrive': {
    bytes: 200,
    write: (table) => new Redrives(table).begin('cluster-lifecycle', { at: now, times: 99_999 }, undefined),
  },
};

/** An item's size as DynamoDB counts it: names and values in UTF-8, numbers as digits. */
const sizeOf = (item: Readonly<Record<string, unknown>>): number =>
  Object.entries(item)
    .flatMap(([attribute, value]): readonly unknown[] => [
      attribute,
      ...(Array.isArray(value) ? (value as unknown[]) : [value]),
    ])
    .reduce((sum: number, text) => sum + Buffer.byteLength(String(text)), 0);

/** The size of the largest item that `write` leaves. */
const largest = async (write: (table: Table) => Promise<unknown>): Promise<number> => {
  const database = openDatabase();
  try {
    const table = sqliteTable(database);
    await write(table);
    const keys = database.prepare('SELECT pk, sk FROM item').all();
    const items = await Promise.all(keys.map(({ pk, sk }) => table.get(String(pk), String(sk))));
    return Math.max(...items.map((item) => sizeOf(item ?? {})));
  } finally {
    database.close();
  }
};

describe('the largest item', () => {
  it.each(Object.entries(kinds))(
    'of its kind, %s, has its bound, far below what a store takes',
    async (_, { bytes, ...item }) => {
      const size = await largest((table) => item.write(table));
      expect(size).toBeGreaterThan(0);
      expect(size).toBeLessThanOrEqual(bytes);
      expect(bytes).toBeLessThan(mostItemBytes);
    },
  );

  it('of complaints counts a few of those who complain', () => {
    expect(enoughWitnesses).toBeLessThan(10);
  });
});
