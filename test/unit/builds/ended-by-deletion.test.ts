import { describe, expect, it } from 'vitest';
import { endedByDeletion } from '../../../lib/builds/ended-by-deletion.ts';
import { buildWorld, podPath } from './build-world.ts';

const killed = (finishedAt: string) => ({
  name: 'build',
  image: '',
  imageID: '',
  ready: false,
  restartCount: 0,
  state: { terminated: { exitCode: 143, finishedAt } },
});
/** A deletion asked for at 10:00:00, with the usual half minute of grace. */
const deleted = { deletionTimestamp: '2026-11-21T10:00:30Z', deletionGracePeriodSeconds: 30 };

describe('a failed pod', () => {
  it.each([
    ['was deleted while a step ran', deleted, 'Failed', '2026-11-21T10:00:01Z', true],
    ['failed by itself and was deleted later', deleted, 'Failed', '2026-11-21T09:59:59Z', false],
    ['was not deleted', {}, 'Failed', '2026-11-21T10:00:01Z', false],
    ['still ends', deleted, 'Running', '2026-11-21T10:00:01Z', false],
  ])('%s', (_, metadata, phase, finishedAt, expected) => {
    expect(endedByDeletion({ metadata, status: { phase, initContainerStatuses: [killed(finishedAt)] } })).toBe(
      expected,
    );
  });

  it('that was deleted is reported as such, not as a failure of its step', async () => {
    const world = buildWorld();
    await world.pass();
    world.podSays({ phase: 'Failed', initContainerStatuses: [killed('2026-11-21T10:00:01Z')] });
    const pod = world.cluster.at(podPath);
    world.cluster.put(podPath.slice(0, podPath.lastIndexOf('/')), {
      ...pod,
      metadata: { ...(pod['metadata'] as object), ...deleted },
    });
    await world.pass();
    expect(world.condition()).toMatchObject({ status: 'False', reason: 'PodDeleted' });
  });
});
