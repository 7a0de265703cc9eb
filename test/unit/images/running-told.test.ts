/** How often an Image repeats what its running Build says. */
import { describe, expect, it } from 'vitest';
import type { Build } from '../../../lib/api/build.ts';
import type { Image, ImageStatus } from '../../../lib/api/image.ts';
import { mayWaitSeconds, repeatSeconds, toldNow } from '../../../lib/images/running-told.ts';

const began = new Date('2026-11-30T10:00:00Z');
const after = (seconds: number): Date => new Date(began.getTime() + seconds * 1000);
const building = (message: string, reason = 'PodInitializing', uid = 'u'): Build => ({
  apiVersion: 'kpack.io/v1alpha2',
  kind: 'Build',
  metadata: { name: 'app-build-1', uid },
  spec: {} as Build['spec'],
  status: { conditions: [{ type: 'Succeeded', status: 'Unknown', reason, message }] },
});
const saying = (message: string, more: Partial<ImageStatus> = {}): ImageStatus => ({
  latestBuildRef: 'app-build-1',
  conditions: [{ type: 'Ready', status: 'Unknown', reason: 'BuildRunning', message }],
  ...more,
});
const image = (status: ImageStatus): Image => ({ metadata: { name: 'app' }, status }) as Image;
const detect = building('Container detect waiting');
const told = toldNow(detect, began);
const wait = (
  running: Build,
  seconds: number,
  memory: string | undefined = told,
  wanted = saying('Container build waiting'),
) => mayWaitSeconds(image(saying('Container detect waiting')), wanted, running, memory, after(seconds));

describe('an Image whose Build runs', () => {
  it('repeats how far that is after a while, not with each step', () => {
    const next = building('Container build waiting');
    expect(wait(next, 1)).toBe(repeatSeconds - 1);
    expect(wait(next, repeatSeconds)).toBe(0);
    expect(wait(building('', ''), 1, told, saying(''))).toBe(repeatSeconds - 1);
  });

  it('says at once what holds it up, and that it goes on', () => {
    const pulling = building('Back-off pulling image', 'ImagePullBackOff');
    expect(wait(pulling, 1)).toBe(0);
    expect(wait(building('Container build waiting'), 1, toldNow(pulling, began))).toBe(0);
  });

  it('says at once what is new beside the message, and what another Build says', () => {
    expect(wait(building('Container build waiting'), 1, told, saying('x', { observedGeneration: 2 }))).toBe(0);
    expect(wait(building('Container build waiting', 'PodInitializing', 'other'), 1)).toBe(0);
  });

  it('tells when nothing is known of an earlier telling, or its time lies ahead', () => {
    const next = building('Container build waiting');
    for (const memory of [undefined, '', 'no JSON', '["u"]'])
      expect(mayWaitSeconds(image(saying('a')), saying('b'), next, memory, began)).toBe(0);
    expect(wait(next, -1e6)).toBeLessThanOrEqual(repeatSeconds);
  });
});
