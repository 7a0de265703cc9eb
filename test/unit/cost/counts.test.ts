/**
 * The counts that `kpackless cost` rests on are those of the whole system: what a commit, a poll and a daily look really ask of table and queues. Who
 * makes one of them cheaper or dearer changes lib/cost/counts.ts, and the price list with it.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as counts from '../../../lib/cost/counts.ts';
import { countedRun, eachOf, sumOf } from '../../support/counted-run.ts';
import { imageStory, settledImage } from '../../support/image-story.ts';

/** A tenth, as runs differ in what comes at the same time. */
const isAbout = (measured: number, wanted: number): boolean => Math.abs(measured - wanted) <= wanted / 10;

const ofBuilds = ['image', 'build', 'source-resolver', 'dependents'] as const;

describe('the counts of work', () => {
  const quietMinutes = 30;
  let idle: Awaited<ReturnType<typeof countedRun>>;
  let quiet: typeof idle;
  let busy: typeof idle;
  beforeAll(async () => {
    idle = await countedRun(0, 2);
    quiet = await countedRun(0, 2 + quietMinutes);
    busy = await countedRun(9, 2);
  });

  it('of a Build, from the commit to its end', () => {
    const builds = busy.report.builds - idle.report.builds;
    expect(builds).toBe(9);
    const functions = eachOf(sumOf(idle.counted, ...ofBuilds), sumOf(busy.counted, ...ofBuilds), builds);
    const relay = eachOf(sumOf(idle.counted, 'relay'), sumOf(busy.counted, 'relay'), builds);
    const passes = busy.report.passes - idle.report.passes - (busy.polls - idle.polls);
    expect(passes / builds).toSatisfy((measured: number) => isAbout(measured, counts.buildWork.passes));
    expect(functions.invocations).toSatisfy((measured: number) => isAbout(measured, counts.buildWork.invocations));
    expect(functions.storeReads).toSatisfy((measured: number) => isAbout(measured, counts.buildWork.storeReads));
    expect(functions.storeWrites).toSatisfy((measured: number) => isAbout(measured, counts.buildWork.storeWrites));
    expect(functions.dueMoves).toSatisfy((measured: number) => isAbout(measured, counts.buildWork.dueMoves));
    expect(functions.queueRequests + relay.queueRequests).toSatisfy((measured: number) =>
      isAbout(measured, counts.buildWork.queueRequests),
    );
  });

  it('of a look at a repository, with the sweep that wakes it', () => {
    const polls = quiet.polls - idle.polls;
    expect(polls).toBe(3 * quietMinutes);
    const each = eachOf(sumOf(idle.counted, 'git-poll', 'sweeper'), sumOf(quiet.counted, 'git-poll', 'sweeper'), polls);
    // Alone in its batch, which may hold others here.
    expect(each.invocations).toBeLessThanOrEqual(counts.pollWork.invocations * 1.1);
    expect(each.storeReads).toSatisfy((measured: number) => isAbout(measured, counts.pollWork.storeReads));
    expect(each.storeWrites).toSatisfy((measured: number) => isAbout(measured, counts.pollWork.storeWrites));
    expect(each.dueMoves).toSatisfy((measured: number) => isAbout(measured, counts.pollWork.dueMoves));
    expect(each.queueRequests).toBeLessThanOrEqual(counts.pollWork.queueRequests * 1.1);
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
