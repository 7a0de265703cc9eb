/** How soon what a pod says is told: each telling is a write that wakes whoever watches the Build. */
import type { ContainerState, Pod } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import type { Build } from '../../../lib/api/build.ts';
import { mayWaitSeconds, progressSeconds } from '../../../lib/builds/progress.ts';

const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds));
const seconds = (date: Date): number => date.getTime() / 1000;
const pod = (state: ContainerState | undefined, phase = 'Pending'): Pod => ({
  metadata: { name: 'pod', creationTimestamp: at(0).toISOString() },
  status: { phase, ...(state && { initContainerStatuses: [{ name: 'prepare', state } as never] }) },
});
const untold = { metadata: { name: 'app-build-1' } } as Build;
const told = {
  ...untold,
  status: { podName: 'pod', conditions: [{ type: 'Succeeded', status: 'Unknown' }] },
} as Build;
const running = pod({ running: { startedAt: at(1).toISOString() } });

describe('what a pod says', () => {
  it('waits for its first step, two seconds at most, while it says only that it was made', () => {
    expect(mayWaitSeconds(untold, pod(undefined), undefined, at(0))).toBe(2);
    expect(mayWaitSeconds(untold, pod({ waiting: { reason: 'PodInitializing' } }), undefined, at(1))).toBe(1);
    expect(mayWaitSeconds(untold, pod(undefined), undefined, at(2))).toBe(0);
    expect(mayWaitSeconds(untold, running, undefined, at(1))).toBe(0);
  });

  it('is told at once when something holds it up, or it has ended', () => {
    expect(mayWaitSeconds(untold, pod({ waiting: { reason: 'ErrImagePull' } }), undefined, at(0))).toBe(0);
    expect(mayWaitSeconds(untold, pod({ terminated: { exitCode: 1 } }, 'Failed'), undefined, at(0))).toBe(0);
  });

  it('is told each five seconds while it is only that steps have ended', () => {
    expect(progressSeconds).toBe(5);
    expect(mayWaitSeconds(told, running, seconds(at(10)), at(11))).toBe(4);
    expect(mayWaitSeconds(told, running, seconds(at(10)), at(15))).toBe(0);
    expect(mayWaitSeconds(told, pod({ waiting: { reason: 'ErrImagePull' } }), seconds(at(10)), at(11))).toBe(0);
  });
});
