/** kpackless on a real one-node cluster: one bring-up, all stories begun at once, nothing left at the end. */
import { afterAll, beforeAll, describe, expect, it, type RunnerTask } from 'vitest';
import { whyNoLocalCluster } from '../../infra/local/cluster/packages.ts';
import { builderKey } from './keys.ts';
import { leftovers } from './leftovers.ts';
import { makeLifecycle, makeNamespace, makePlatform, steadyPlatform } from './objects.ts';
import { apart } from './stories/apart.ts';
import { asks } from './stories/asks.ts';
import { atOnce, soonBuilt } from './stories/at-once.ts';
import { cap } from './stories/cap.ts';
import { givenCluster, refusals } from './stories/command-line.ts';
import { deletion } from './stories/deletion.ts';
import { demanding } from './stories/demanding.ts';
import { endings } from './stories/endings.ts';
import { extensions } from './stories/extensions.ts';
import { failures } from './stories/failures.ts';
import { firstBuild } from './stories/first-build.ts';
import { hooks } from './stories/hooks.ts';
import { kills } from './stories/kills.ts';
import { migration } from './stories/migration.ts';
import { olderVersion } from './stories/older-version.ts';
import { rebuilds } from './stories/rebuilds.ts';
import { requests } from './stories/requests.ts';
import { secrets } from './stories/secrets.ts';
import { sources } from './stories/sources.ts';
import { strangers } from './stories/strangers.ts';
import type { Story } from './story.ts';
import { forgetSuite, type Suite, startSuite } from './suite.ts';

const why = whyNoLocalCluster();
if (why !== undefined) process.stderr.write(`e2e: skipped: ${why}\n`);

/** Each chain in its order, the chains beside each other. */
const together: readonly (readonly Story[])[] = [
  [firstBuild, rebuilds],
  [sources],
  [failures, deletion],
  [asks],
  [olderVersion],
  [atOnce],
  [refusals],
  [extensions],
  [strangers],
  [apart],
  [demanding, hooks],
  [cap],
  [endings],
];
/** Those that want the cluster for themselves. */
const alone: readonly Story[] = [soonBuilt, requests, secrets, kills, givenCluster, migration];

/** Whether any test of it runs: `-t` picks some. */
const isWanted = (task: RunnerTask | undefined): boolean =>
  task?.type === 'suite' ? task.tasks.some(isWanted) : task?.mode === 'run';

describe.skipIf(why !== undefined)('kpackless on a real cluster', () => {
  let suite: Suite | undefined;
  const the = (): Suite => {
    if (suite === undefined) throw new Error('the cluster is not up');
    return suite;
  };

  // oxlint-disable-next-line no-empty-pattern -- vitest reads the pattern, and nothing of the context is wanted
  beforeAll(async ({}, { tasks }) => {
    suite = await startSuite();
    const started = suite;
    await makeNamespace(started, 'kpack', [builderKey.secret]);
    await makeLifecycle(started);
    await makePlatform(started, steadyPlatform, started.images);
    const [chains] = tasks;
    const wanted = together.filter((_, index) => chains?.type === 'suite' && isWanted(chains.tasks[index]));
    await Promise.all([...wanted.flat(), ...alone].map(({ begin }) => begin(started)));
  }, 1_200_000);

  // oxlint-disable-next-line no-empty-pattern -- vitest reads the pattern, and nothing of the context is wanted
  afterAll(async ({}, { tasks }) => {
    await suite?.stop();
    const failed = JSON.stringify(tasks.map(({ result }) => result?.state)).includes('fail');
    if (failed) process.stderr.write(`e2e: logs are in ${suite?.stateDir ?? ''}/logs\n`);
    else await forgetSuite();
  });

  describe('chain', { concurrent: true }, () => {
    for (const [index, chain] of together.entries())
      describe(`${index + 1}`, () => {
        describe('of stories', { concurrent: false }, () => {
          for (const { tell } of chain) tell(the);
        });
      });
  });

  for (const { tell } of alone) tell(the);

  it('leaves nothing on the machine when it is stopped', async () => {
    await the().stop();
    expect(await leftovers(the().stateDir)).toEqual([]);
  });
});
