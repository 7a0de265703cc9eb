/** What people ask by annotation: stop this build, wait, build once more. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import { commitFiles } from '../../../infra/local/git-repository.ts';
import { makeImage, makeNamespace } from '../objects.ts';
import { bareCondition, buildNames, buildPod, endedBuild, imageOf, podWhen, readyAfter } from '../observe.ts';
import type { Story } from '../story.ts';
import { waitFor } from '../wait.ts';

const namespace = 'asks';
const slow = { namespace, name: 'slow' };
const quick = { namespace, name: 'quick' };
const begun = [
  [slow, { 'slow-build': '300' }],
  [quick, { file: 'content' }],
] as const;

const builds = (pod: Pod): boolean =>
  pod.status?.initContainerStatuses?.some(({ name, state }) => name === 'build' && state?.running !== undefined) ??
  false;

/** A Build that is cancelled; an Image that is paused, then built again. */
export const asks: Story = {
  begin: async (suite) => {
    const { gitRoot, gitHost } = suite.cluster;
    await makeNamespace(suite, namespace);
    for (const [key, files] of begun) {
      const repository = `asks-${key.name}`;
      await commitFiles({ gitRoot, repository, files, message: repository, at: new Date() });
      await makeImage(suite, {
        ...key,
        source: { git: { url: `http://${gitHost}/${repository}.git`, revision: 'main' } },
      });
    }
  },

  tell: (the) => {
    describe('an annotation', { concurrent: true }, () => {
      it('cancels a Build: its pod goes, it stays as history, and nothing is built anew', async () => {
        const { kube } = the();
        await podWhen(the(), slow, 1, builds);
        const annotations = { 'build.kpack.io/cancel': '' };
        await kube.patch({ kind: 'Build', namespace, name: 'slow-build-1' }, { metadata: { annotations } });
        expect(bareCondition(await endedBuild(the(), slow, 1), 'Succeeded')).toEqual({
          type: 'Succeeded',
          status: 'False',
          reason: 'Cancelled',
          message: 'cancelled by annotation build.kpack.io/cancel',
        });
        expect(await buildPod(the(), slow, 1)).toBeUndefined();
        expect(await buildNames(the(), slow)).toEqual(['slow-build-1']);
      });

      describe('of one Image', { concurrent: false }, () => {
        beforeAll(async () => {
          await readyAfter(the(), quick, 1);
        });

        it('pauses an Image, and asks for one more Build when the pause is over', async () => {
          const { kube } = the();
          const annotate = (annotations: object) =>
            kube.patch({ kind: 'Image', ...quick }, { metadata: { annotations } });
          await annotate({ 'image.kpack.io/paused': 'true', 'image.kpack.io/retry': 'once' });
          await waitFor(async () => bareCondition(await imageOf(the(), quick), 'Ready')?.reason === 'Paused', {
            what: 'the Image to say that it is paused',
          });
          expect(await buildNames(the(), quick)).toHaveLength(1);
          await annotate({ 'image.kpack.io/paused': null });
          const again = await endedBuild(the(), quick, 2);
          expect(again.metadata.annotations).toMatchObject({ 'image.kpack.io/reason': 'TRIGGER' });
          await readyAfter(the(), quick, 2);
          expect(await buildNames(the(), quick)).toHaveLength(2);
        });

        it('05#41 on its latest Build, as `kp image trigger` leaves it, has an Image built once more', async () => {
          const annotations = { 'image.kpack.io/additionalBuildNeeded': new Date().toISOString() };
          await the().kube.patch({ kind: 'Build', namespace, name: 'quick-build-2' }, { metadata: { annotations } });
          expect((await readyAfter(the(), quick, 3)).status?.latestBuildReason).toBe('TRIGGER');
          const made = (await endedBuild(the(), quick, 3)).metadata.annotations ?? {};
          expect(made['image.kpack.io/reason']).toBe('TRIGGER');
          expect(made['image.kpack.io/buildChanges']).toContain('A new build was manually triggered on ');
        });
      });
    });
  },
};
