/**
 * Everything users can say to kpack, said to a real API server that has our definitions and policies and nothing else: kpack's own recordings, the
 * manifests of public repositories, the mistakes people make, the cases of spec 01.
 */
import { afterAll, beforeAll, describe } from 'vitest';
import { apiServerIsHere } from '../../support/api-server.ts';
import { type KpackCluster, startKpackCluster } from '../../support/kpack-cluster.ts';
import { describeBounds } from './bounds.ts';
import { describeChapter01 } from './chapter-01.ts';
import { describeDoubts } from './doubts.ts';
import { describeGitOps } from './gitops.ts';
import { describeGoldenAdmission } from './golden-admission.ts';
import { describeManifests } from './manifests.ts';
import { describeMistakes } from './mistakes.ts';
import { describeMutated } from './mutated.ts';

describe.runIf(apiServerIsHere)('an API server with our definitions and policies', () => {
  let running: KpackCluster;
  const cluster = (): KpackCluster => running;

  beforeAll(async () => {
    running = await startKpackCluster();
  });

  afterAll(async () => {
    await running?.stop();
  });

  describeBounds(cluster);
  describeChapter01(cluster);
  describeDoubts(cluster);
  describeGitOps(cluster);
  describeGoldenAdmission(cluster);
  describeManifests(cluster);
  describeMistakes(cluster);
  describeMutated(cluster);
});
