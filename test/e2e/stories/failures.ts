/** Builds that end badly, each in its own way: the conditions say how, and a better commit builds. */
import type { Pod } from 'kubernetes-types/core/v1.d.ts';
import { describe, expect, it } from 'vitest';
import { commitFiles } from '../../../infra/local/git-repository.ts';
import { makeImage, makeNamespace } from '../objects.ts';
import { bareCondition, buildNames, buildOf, buildPod, endedBuild, imageOf, podWhen, readyAfter } from '../observe.ts';
import type { Story } from '../story.ts';
import type { Suite } from '../suite.ts';
import { waitFor } from '../wait.ts';

const namespace = 'bad';
const keyOf = (name: string) => ({ namespace, name });

const commit = ({ cluster }: Suite, name: string, files: Readonly<Record<string, string>>): Promise<string> =>
  commitFiles({ gitRoot: cluster.gitRoot, repository: `bad-${name}`, files, message: name, at: new Date() });

const begun: Readonly<Record<string, { readonly files: Readonly<Record<string, string>>; readonly build?: object }>> = {
  detect: { files: { 'fail-detect': '' } },
  build: { files: { 'fail-build': '' } },
  late: { files: { 'slow-build': '300' }, build: { buildTimeout: 8 } },
  deleted: { files: { 'slow-build': '300' } },
  evicted: {
    files: { 'slow-build': '300', big: 'x'.repeat(300_000) },
    build: { resources: { limits: { 'ephemeral-storage': '100Ki' } } },
  },
};

/** Whether the step runs now. */
const runs =
  (step: string) =>
  (pod: Pod): boolean =>
    pod.status?.initContainerStatuses?.some(({ name, state }) => name === step && state?.running !== undefined) ??
    false;

/** Five bad ends. */
export const failures: Story = {
  begin: async (suite) => {
    await makeNamespace(suite, namespace);
    for (const [name, { files, build }] of Object.entries(begun)) {
      await commit(suite, name, files);
      const source = { git: { url: `http://${suite.cluster.gitHost}/bad-${name}.git`, revision: 'main' } };
      await makeImage(suite, { namespace, name, source, ...(build === undefined ? {} : { build }) });
    }
  },

  tell: (the) => {
    describe('a build that fails', () => {
      it('in detect names the step and its last words', async () => {
        const build = await endedBuild(the(), keyOf('detect'), 1);
        const message =
          'Error:  Container detect terminated with error ERROR: failed to detect: no buildpacks participating: For more info use `kubectl logs -n bad detect-build-1-build-pod -c detect`';
        expect(bareCondition(build, 'Succeeded')).toEqual({
          type: 'Succeeded',
          status: 'False',
          reason: 'Failed',
          message: expect.stringContaining(`${message}; exit code 20: `) as string,
        });
        const image = await waitFor(
          async () => {
            const found = await imageOf(the(), keyOf('detect'));
            return bareCondition(found, 'Ready')?.status === 'False' && found;
          },
          { what: 'the Image to say so' },
        );
        await commit(the(), 'detect', { 'index.html': 'better\n' });
        expect(bareCondition(image, 'Ready')).toEqual({
          type: 'Ready',
          status: 'False',
          reason: 'BuildFailed',
          message: expect.stringContaining(
            `Error: Build 'detect-build-1' in namespace 'bad' failed: ${message}`,
          ) as string,
        });
      });

      it('in build names the step and its last words', async () => {
        const build = await endedBuild(the(), keyOf('build'), 1);
        await commit(the(), 'build', { 'index.html': 'better\n' });
        const said = bareCondition(build, 'Succeeded');
        expect(said).toMatchObject({ status: 'False', reason: 'Failed' });
        expect(said?.message).toMatch(/Container build terminated with error .*failed to build.*-c build`/s);
        expect(build.status?.stepsCompleted).toEqual(['prepare', 'analyze', 'detect', 'restore']);
      });

      it('keeps the last lines of its log when the pod is gone', async () => {
        const { kube } = the();
        const pod = await buildPod(the(), keyOf('build'), 1);
        expect(pod).toBeDefined();
        await kube.delete(pod ?? {});
        await waitFor(async () => (await buildPod(the(), keyOf('build'), 1)) === undefined, { what: 'the pod to go' });
        const said = bareCondition(await buildOf(the(), keyOf('build'), 1), 'Succeeded');
        expect(said).toMatchObject({ status: 'False', reason: 'Failed' });
        const lines = /last lines of its log:\n(?<lines>.*)$/s.exec(said?.message ?? '')?.groups?.['lines'];
        expect(lines?.split('\n')).toEqual(
          expect.arrayContaining(['fail-build is there: failing as asked', expect.stringMatching(/failed to build/)]),
        );
      });

      it('keeps its whole log, and those of the steps before it, outside the cluster', async () => {
        const { logStore } = the();
        const archived = bareCondition(await buildOf(the(), keyOf('build'), 1), 'LogsArchived');
        expect(archived).toMatchObject({ status: 'True', reason: 'Archived' });
        const text = logStore.textAt(archived?.message ?? '') ?? '';
        expect(text.match(/^===> .*$/gm)).toEqual(
          ['PREPARE', 'ANALYZE', 'DETECT', 'RESTORE', 'BUILD'].map((step) => `===> ${step}`),
        );
        expect(text).toMatch(/===> PREPARE\n[^]*Successfully cloned[^]*===> BUILD\n[^]*failing as asked/);
      });

      it('by taking longer than it may says so', async () => {
        const build = await endedBuild(the(), keyOf('late'), 1);
        const said = bareCondition(build, 'Succeeded');
        expect(said).toMatchObject({ status: 'False' });
        expect(`${said?.reason} ${said?.message}`).toMatch(/DeadlineExceeded|deadline|longer/i);
      });

      it('by losing its pod says so and is not run twice', async () => {
        const pod = await podWhen(the(), keyOf('deleted'), 1, runs('build'));
        await the().kube.delete(pod);
        const build = await endedBuild(the(), keyOf('deleted'), 1);
        expect(bareCondition(build, 'Succeeded')).toMatchObject({ status: 'False', reason: 'PodDeleted' });
        expect(await buildNames(the(), keyOf('deleted'))).toEqual(['deleted-build-1']);
      });

      it('by eviction says why the node threw it out', async () => {
        const build = await endedBuild(the(), keyOf('evicted'), 1);
        const said = bareCondition(build, 'Succeeded');
        expect(said).toMatchObject({ status: 'False' });
        expect(`${said?.reason} ${said?.message}`).toMatch(/evict|ephemeral/i);
      });

      it.each(['detect', 'build'])('in %s is followed by a good one for a better commit', async (name) => {
        const image = await readyAfter(the(), keyOf(name), 2);
        expect(image.status?.latestBuildReason).toBe('COMMIT');
        expect(await buildNames(the(), keyOf(name))).toEqual([`${name}-build-1`, `${name}-build-2`]);
      });
    });
  },
};
