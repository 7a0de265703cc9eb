/**
 * The counts that `kpackless cost` rests on are those of the whole system: what a commit, a poll and a daily look really ask of table and queues. Who
 * makes one of them cheaper or dearer changes lib/cost/counts.ts, and the price list with it.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as counts from '../../../lib/cost/counts.ts';
import { openDatabase } from '../../../lib/embedded/database.ts';
import { sqliteTable } from '../../../lib/embedded/sqlite-table.ts';
import { recordKey, rowSortKey } from '../../../lib/state/keys.ts';
import type { Table } from '../../../lib/state/table.ts';
import { countedRun, eachOf, sumOf } from '../../support/counted-run.ts';
import { imageStory, settledImage } from '../../support/image-story.ts';
import { sourceWorld } from '../../support/source-world.ts';
import { countingWrites } from '../../support/write-units.ts';

/** A tenth, as runs differ in what comes at the same time. */
const isAbout = (measured: number, wanted: number): boolean => Math.abs(measured - wanted) <= wanted / 10;

const ofBuilds = ['image', 'build', 'source-resolver', 'dependents'] as const;

describe('the counts of work', () => {
  const quietMinutes = 30;
  let idle: Awaited<ReturnType<typeof countedRun>>;
  let quiet: typeof idle;
  let busy: typeof idle;
  let alone: readonly [typeof idle, typeof idle];
  beforeAll(async () => {
    idle = await countedRun(0, 2);
    quiet = await countedRun(0, 2 + quietMinutes);
    busy = await countedRun(9, 2);
    alone = [await countedRun(0, 2, 1), await countedRun(0, 2 + quietMinutes, 1)];
  }, 60_000);

  it('of a Build, from the commit to its end', () => {
    const builds = busy.report.builds - idle.report.builds;
    expect(builds).toBe(9);
    const functions = eachOf(sumOf(idle.counted, ...ofBuilds), sumOf(busy.counted, ...ofBuilds), builds);
    const relay = eachOf(sumOf(idle.counted, 'relay'), sumOf(busy.counted, 'relay'), builds);
    const passesOf = ({ report: { passes, passesOf: of } }: typeof idle): number => passes - (of.get('GitPoll') ?? 0);
    const passes = passesOf(busy) - passesOf(idle);
    expect(passes / builds).toSatisfy((measured: number) => isAbout(measured, counts.buildWork.passes));
    expect(functions.invocations).toSatisfy((measured: number) => isAbout(measured, counts.buildWork.invocations));
    expect(functions.storeReads).toSatisfy((measured: number) => isAbout(measured, counts.buildWork.storeReads));
    expect(functions.storeWrites).toSatisfy((measured: number) => isAbout(measured, counts.buildWork.storeWrites));
    expect(functions.dueMoves).toSatisfy((measured: number) => isAbout(measured, counts.buildWork.dueMoves));
    expect(functions.queueRequests + relay.queueRequests).toSatisfy((measured: number) =>
      isAbout(measured, counts.buildWork.queueRequests),
    );
  });

  it('of looks at repositories: a round of their page, with the sweep that wakes it, and what each adds', () => {
    const inRounds = (from: typeof idle, to: typeof idle) =>
      eachOf(sumOf(from.ofPolls, 'git-poll', 'sweeper'), sumOf(to.ofPolls, 'git-poll', 'sweeper'), quietMinutes);
    expect([quiet.polls - idle.polls, alone[1].polls - alone[0].polls]).toEqual([3 * quietMinutes, quietMinutes]);
    const [ofThree, ofOne] = [inRounds(idle, quiet), inRounds(...alone)];
    const added = (of: keyof typeof ofOne): number => (ofThree[of] - ofOne[of]) / 2;
    const { roundWork, pollWork } = counts;
    // Each is alone in its namespace here, so that its circuit is read; that of the host is read for all. And its row is part of the page.
    expect(added('storeReads') + counts.pageRowBytes / 4096).toSatisfy((measured: number) =>
      isAbout(measured, pollWork.storeReads),
    );
    expect(ofOne.storeReads - added('storeReads')).toSatisfy((measured: number) =>
      isAbout(measured, roundWork.storeReads),
    );
    for (const of of ['invocations', 'storeWrites', 'dueMoves', 'queueRequests'] as const) {
      expect(Math.abs(added(of) - pollWork[of])).toBeLessThan(0.05);
      expect(ofOne[of]).toSatisfy((measured: number) => isAbout(measured, roundWork[of]));
    }
  });

  it('of the daily pass of a poll that lies in a page, and of its row', async () => {
    using database = openDatabase();
    const { table, units } = countingWrites(sqliteTable(database));
    let reads = 0;
    const counting: Table = {
      ...table,
      get: (...given) => {
        reads += 1;
        return table.get(...given);
      },
      queryPartition: (...given) => {
        reads += 1;
        return table.queryPartition(...given);
      },
    };
    const w = sourceWorld(counting);
    const url = 'https://git.example.com/organisation/a-repository-of-usual-length.git';
    w.host(url, [{ name: 'refs/heads/main', hash: '1'.repeat(40) }]);
    w.apply('app-source', { git: { url, revision: 'main' } }, { namespace: 'a-team-of-usual-length' });
    await w.resolve('app-source', { namespace: 'a-team-of-usual-length' });
    w.later(63);
    const [due] = (await w.due()).filter(({ target }) => target.kind === 'GitPoll');
    if (due === undefined) throw new Error('no poll is due');
    await w.poll(due.target);
    const page = { ...due.target, namespace: '', name: 'every-60.0' };
    const row = await table.get(recordKey(page), rowSortKey(due.target));
    expect(JSON.stringify(row).length).toBeLessThan(counts.pageRowBytes);
    w.later(86_400);
    const before = { ...units };
    reads = 0;
    const cause = { kind: page.kind, namespace: '', name: page.name };
    expect(await w.poll(due.target, 'dependency', cause)).toBe('unchanged');
    const { storeReads, storeWrites, dueMoves } = counts.pollLookWork;
    expect({ reads, writes: units.table - before.table, index: units.index - before.index }).toEqual({
      reads: storeReads,
      writes: storeWrites,
      index: 2 * dueMoves,
    });
  });

  it('of the sweeper: a query for each shard', () => {
    const sweeps = (quiet.report.runSeconds - idle.report.runSeconds) / 60;
    const { dueQueries } = eachOf(sumOf(idle.counted, 'sweeper'), sumOf(quiet.counted, 'sweeper'), sweeps);
    expect(dueQueries).toBe(counts.sweepQueries);
  });

  it('of a relay that watches a cluster in which nothing happens', () => {
    const hours = (quiet.report.runSeconds - idle.report.runSeconds) / 3600;
    const { storeWrites } = eachOf(sumOf(idle.counted, 'relay'), sumOf(quiet.counted, 'relay'), hours);
    expect(storeWrites).toSatisfy((measured: number) => isAbout(measured, counts.relayWritesPerHour));
  });

  it('of the daily look at one object: the sweep, its queue, the pass', async () => {
    await using world = await imageStory();
    await settledImage(world);
    const sent: string[] = [];
    for (const client of [world.queues, world.mortalQueues])
      client.middlewareStack.add(
        (next, { commandName = '' }) =>
          async (given) => {
            const answer = await next(given);
            const { Messages } = answer.output as { readonly Messages?: readonly unknown[] };
            // A look into an empty queue is Lambda's, and counted with those that are fixed.
            if (commandName !== 'ReceiveMessageCommand' || (Messages?.length ?? 0) > 0) sent.push(commandName);
            return answer;
          },
        { step: 'initialize' },
      );
    const before = await world.records.read(world.target('app'));
    world.later(86_400);
    expect(await world.sweep()).toBe(1);
    expect(await world.deliver()).toStrictEqual(['settled']);
    expect((await world.records.read(world.target('app'))).dueAt).toBeGreaterThan((before.dueAt ?? 0) + 43_200);
    expect(sent.toSorted((a, b) => a.localeCompare(b))).toStrictEqual([
      'DeleteMessageCommand',
      'ReceiveMessageCommand',
      'SendMessageBatchCommand',
    ]);
    // The sweep moves the due time, and the pass leaves it there (test/unit/state/write-units.test.ts).
    expect(counts.lookWork).toStrictEqual({
      passes: 1,
      invocations: 1,
      storeReads: 1,
      storeWrites: 1,
      dueMoves: 1,
      queueRequests: sent.length,
    });
  });

  it('of alarms: as many as infra/alarms.yml has', () => {
    const source = readFileSync(new URL('../../../infra/alarms.yml', import.meta.url), 'utf8');
    const { Resources } = parse(source, { merge: true, logLevel: 'silent' }) as {
      Resources: Record<string, { Type: string }>;
    };
    const types = Object.values(Resources).map(({ Type }) => Type);
    expect(types.filter((type) => type === 'AWS::CloudWatch::Alarm')).toHaveLength(counts.alarms);
    expect(types.filter((type) => type === 'AWS::KMS::Key')).toHaveLength(counts.keys);
  });
});
