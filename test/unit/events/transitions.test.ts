/** What a new status tells of. */
import { describe, expect, it } from 'vitest';
import type { Build, BuildStatus } from '../../../lib/api/build.ts';
import type { Image, ImageStatus } from '../../../lib/api/image.ts';
import { buildTransition } from '../../../lib/builds/transition.ts';
import { imageTransition } from '../../../lib/images/transition.ts';

const condition = (type: string, status: 'True' | 'False' | 'Unknown', reason = '', message = '') => ({
  type,
  status,
  reason,
  message,
});
const succeeded = (
  ...rest: readonly [status: 'True' | 'False' | 'Unknown', reason?: string, message?: string]
): BuildStatus => ({
  conditions: [condition('Succeeded', ...rest)],
});
const build = (status?: BuildStatus): Build => ({ metadata: { name: 'app-build-1' }, status }) as unknown as Build;
const running = { running: { startedAt: '2026-01-01T00:00:00Z' } };
const waiting = { waiting: { reason: 'PodInitializing' } };

describe('a Build', () => {
  it('tells when its first step runs, once', () => {
    const next = { ...succeeded('Unknown'), podName: 'pod', stepStates: [running, waiting] };
    expect(buildTransition(build(), next)).toEqual({ reason: 'Started', type: 'Normal', note: 'pod pod runs' });
    expect(buildTransition(build({ ...succeeded('Unknown'), stepStates: [waiting] }), next)?.reason).toBe('Started');
    expect(buildTransition(build(next), { ...next, stepsCompleted: ['prepare'] })).toBeUndefined();
  });

  it('tells nothing while its pod is only made', () => {
    expect(
      buildTransition(build(), { ...succeeded('Unknown'), podName: 'pod', stepStates: [waiting] }),
    ).toBeUndefined();
    expect(buildTransition(build(), succeeded('Unknown', 'PodInitializing'))).toBeUndefined();
    expect(buildTransition(build(), {})).toBeUndefined();
  });

  it('tells that it is queued, and what it waits for, when that changes', () => {
    const queued = succeeded('Unknown', 'Queued', '3 builds run, 3 may');
    expect(buildTransition(build(), queued)).toEqual({ reason: 'Queued', type: 'Normal', note: '3 builds run, 3 may' });
    expect(
      buildTransition(build(queued), succeeded('Unknown', 'Queued', '3 builds run, 2 wait before')),
    ).toBeUndefined();
    const pull = succeeded('Unknown', 'ImagePullBackOff', 'Back-off pulling image "x"');
    const told = { reason: 'Waiting', type: 'Warning', note: 'ImagePullBackOff: Back-off pulling image "x"' };
    expect(buildTransition(build(queued), pull)).toEqual(told);
    expect(buildTransition(build(pull), pull)).toBeUndefined();
    expect(buildTransition(build(), succeeded('Unknown', 'Cancelling', 'pod is being stopped'))).toBeUndefined();
  });

  it('tells how it ended, with the image or with the reason and last words, and nothing after', () => {
    const done = {
      ...succeeded('True', 'Completed'),
      latestImage: 'r/app@sha256:1',
      stepsCompleted: ['prepare', 'export'],
    };
    expect(buildTransition(build(), done)).toEqual({ reason: 'Succeeded', type: 'Normal', note: 'r/app@sha256:1' });
    expect(buildTransition(build(), { ...done, stepsCompleted: ['rebase'] })?.reason).toBe('Rebased');
    const failed = succeeded('False', 'Failed', 'step build: exit 51');
    expect(buildTransition(build(), failed)).toEqual({
      reason: 'Failed',
      type: 'Warning',
      note: 'Failed: step build: exit 51',
    });
    expect(buildTransition(build(), succeeded('False'))?.note).toBe('no reason was given');
    expect(buildTransition(build(failed), failed)).toBeUndefined();
    expect(buildTransition(build(done), { ...done, latestAttestationImage: 'r/app@sha256:2' })).toBeUndefined();
  });
});

describe('an Image', () => {
  const image = (status?: ImageStatus): Image => ({ metadata: { name: 'app' }, status }) as unknown as Image;
  const ready = (
    ...rest: readonly [status: 'True' | 'False' | 'Unknown', reason?: string, message?: string]
  ): ImageStatus => ({ conditions: [condition('Ready', ...rest)] });

  it('tells what it waits for, when that changes; a False one warns', () => {
    const missing = ready('False', 'BuilderNotFound', 'no builder x');
    expect(imageTransition(image(), missing)).toEqual({
      reason: 'Waiting',
      type: 'Warning',
      note: 'BuilderNotFound: no builder x',
    });
    expect(imageTransition(image(missing), missing)).toBeUndefined();
    expect(imageTransition(image(missing), ready('Unknown', 'Paused', 'builds are paused'))).toEqual({
      reason: 'Waiting',
      type: 'Normal',
      note: 'Paused: builds are paused',
    });
  });

  it('tells nothing of what its Builds tell, nor of a source that is just being looked at', () => {
    for (const [status, reason] of [
      ['Unknown', 'BuildRunning'],
      ['False', 'BuildFailed'],
      ['True', 'UpToDate'],
      ['Unknown', 'ResolverNotReady'],
    ] as const)
      expect(imageTransition(image(), ready(status, reason, 'said'))).toBeUndefined();
    expect(
      imageTransition(image(), ready('Unknown', 'ResolverNotReady', 'Error: …; Message: no such branch'))?.reason,
    ).toBe('Waiting');
  });
});
