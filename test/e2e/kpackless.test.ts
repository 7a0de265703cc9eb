/** kpackless on a real one-node cluster: one bring-up, all stories begun at once, nothing left at the end. */
import { afterAll, beforeAll, describe } from 'vitest';
import { whyNoLocalCluster } from '../../infra/local/cluster/packages.ts';
import { makeLifecycle, makeNamespace, makePlatform, steadyPlatform } from './objects.ts';
import { commandLine } from './stories/command-line.ts';
import { deletion } from './stories/deletion.ts';
import { failures } from './stories/failures.ts';
import { firstBuild } from './stories/first-build.ts';
import { kills } from './stories/kills.ts';
import { rebuilds } from './stories/rebuilds.ts';
import { requests } from './stories/requests.ts';
import { secrets } from './stories/secrets.ts';
import { sources } from './stories/sources.ts';
import { type Suite, startSuite } from './suite.ts';

const why = whyNoLocalCluster();
if (why !== undefined) process.stderr.write(`e2e: skipped: ${why}\n`);

const stories = [firstBuild, rebuilds, sources, failures, deletion, requests, secrets, kills, commandLine];

describe.skipIf(why !== undefined)('kpackless on a real cluster', () => {
  let suite: Suite | undefined;
  const the = (): Suite => {
    if (suite === undefined) throw new Error('the cluster is not up');
    return suite;
  };

  beforeAll(async () => {
    suite = await startSuite();
    const started = suite;
    await makeNamespace(started, 'kpack');
    await makeLifecycle(started);
    await makePlatform(started, steadyPlatform, started.images);
    await Promise.all(stories.map(({ begin }) => begin(started)));
  }, 1_200_000);

  afterAll(async () => {
    await suite?.stop();
  });

  for (const { tell } of stories) tell(the);
});
