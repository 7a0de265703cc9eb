/** The statuses that kpack wrote for the recorded pods, field by field against ours; log lines are given, as recordings hold none. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import type { Build } from '../../lib/api/build.ts';
import { builtStatus, parseBuildMetadata } from '../../lib/builds/metadata.ts';
import { metadataFromImage } from '../../lib/builds/metadata-from-image.ts';
import { podStatus, succeededFrom } from '../../lib/builds/status.ts';
import { completionStatus, isBuilt } from '../../lib/builds/steps.ts';
import { sameStatus } from '../../lib/reconcile/same-status.ts';
import { golden, goldenFiles } from '../support/golden.ts';

interface Recording {
  readonly builds: readonly Build[];
  readonly pods: readonly Pod[];
}

/** The only log line that recorded statuses quote. */
const detectLine = 'ERROR: failed to detect: no buildpacks participating';

const metadataOf = (pod: Pod) => parseBuildMetadata(completionStatus(pod)?.state?.terminated?.message);

describe('statuses of recorded Builds', () => {
  const cases = goldenFiles('flow').flatMap((file) => {
    const { builds, pods } = golden(`flow/${file}`) as Recording;
    return builds.map((build, index) => ({ title: `${file} ${build.metadata.name}`, build, pod: pods[index] }));
  });

  it.each(cases)('$title', ({ build, pod = {} }) => {
    const metadata = metadataOf(pod);
    const ours = {
      observedGeneration: build.metadata.generation,
      conditions: [succeededFrom(pod, detectLine)],
      ...podStatus(pod),
      ...(isBuilt(pod) && metadata !== undefined && builtStatus(metadata)),
    };
    expect(ours.stepStates).toEqual(build.status?.stepStates);
    expect(ours.conditions).toEqual(build.status?.conditions);
    // `lifecycleVersion: ''` and `stack: {}` of an unfinished Build are told apart from absent ones by nobody.
    expect(sameStatus(ours, build.status)).toBe(true);
  });

  it.each([
    [1, 0],
    [5, 4],
  ])('build %i is told alike by the message of its pod and the labels of its image', (number, index) => {
    const { pods } = golden('flow/6-buildpack-changed.json') as Recording;
    const { config } = golden(`registry/flow-build-${number}.config.json`) as {
      readonly config: { readonly Labels: Record<string, string> };
    };
    const said = metadataOf(pods[index] ?? {});
    expect(said).toBeDefined();
    expect(metadataFromImage(config.Labels, { latestImage: said?.latestImage ?? '', latestCacheImage: '' })).toEqual(
      said,
    );
  });
});
