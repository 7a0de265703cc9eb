/** From an Image to a running app. */
import { beforeAll, describe, expect, it } from 'vitest';
import { commitFiles } from '../../../infra/local/git-repository.ts';
import { answerOf } from '../../../infra/local/sample/run-app.ts';
import type { Builder } from '../../../lib/api/builder.ts';
import type { SourceResolver } from '../../../lib/api/source-resolver.ts';
import { parseReference } from '../../../lib/oci/reference.ts';
import { goesFirst, makeImage, makeNamespace, makePlatform, movingPlatform } from '../objects.ts';
import { bareCondition, bareConditions, buildOf, buildPod, readyAfter } from '../observe.ts';
import type { Story } from '../story.ts';

/** The Image, and the platform it is built with, that later stories change. */
export const firstApp = { namespace: 'first', name: 'app' };
const key = firstApp;

let commit: string;

/** The first Image. */
export const firstBuild: Story = {
  begin: async (suite) => {
    const { gitRoot, gitHost } = suite.cluster;
    const files = { 'index.html': 'hello from the first build\n' };
    commit = await commitFiles({ gitRoot, repository: 'first', files, message: 'first', at: new Date() });
    await makePlatform(suite, movingPlatform, suite.images);
    await makeNamespace(suite, key.namespace);
    const source = { git: { url: `http://${gitHost}/first.git`, revision: 'main' } };
    await makeImage(suite, {
      ...key,
      source,
      builder: { kind: 'ClusterBuilder', name: movingPlatform },
      cache: { volume: { size: '50Mi' } },
      build: goesFirst,
    });
  },

  tell: (the) => {
    describe('a first build', () => {
      beforeAll(async () => {
        await readyAfter(the(), key, 1);
      });

      it('resolves the branch to the commit it points at', async () => {
        const resolver = await the().kube.get<SourceResolver>({
          kind: 'SourceResolver',
          namespace: 'first',
          name: 'app-source',
        });
        expect(resolver?.status?.source?.git).toMatchObject({ revision: commit, type: 'Branch' });
        expect(bareCondition(resolver, 'Ready')).toEqual({ type: 'Ready', status: 'True' });
        expect(bareCondition(resolver, 'ActivePolling')).toEqual({ type: 'ActivePolling', status: 'True' });
      });

      it('keeps the logs of its steps outside the cluster', async () => {
        const archived = bareCondition(await buildOf(the(), key, 1), 'LogsArchived');
        expect(archived).toMatchObject({ status: 'True', reason: 'Archived' });
        const text = the().logStore.textAt(archived?.message ?? '') ?? '';
        expect(text.match(/^===> .*$/gm)?.at(-1)).toBe('===> COMPLETION');
        expect(text).toMatch(/Build successful\n$/);
      });

      it('assembled the builder and pushed it', async () => {
        const { kube, content, registry } = the();
        const builder = await kube.get<Builder>({ kind: 'ClusterBuilder', namespace: '', name: movingPlatform });
        const reference = builder?.status?.latestImage ?? '';
        expect(reference).toMatch(
          new RegExp(`^${registry}/builders/moving(:clusterbuilder-moving)?@sha256:[0-9a-f]{64}$`),
        );
        await expect(content.headManifest(parseReference(reference))).resolves.toBeDefined();
      });

      it('ran every step of the build with the real lifecycle', async () => {
        const pod = await buildPod(the(), key, 1);
        const steps = [...(pod?.status?.initContainerStatuses ?? []), ...(pod?.status?.containerStatuses ?? [])];
        expect(steps.map(({ name, state }) => [name, state?.terminated?.exitCode])).toEqual(
          ['prepare', 'analyze', 'detect', 'restore', 'build', 'export', 'completion'].map((name) => [name, 0]),
        );
      });

      it('says what was built as kpack does', async () => {
        const build = await buildOf(the(), key, 1);
        const image = await readyAfter(the(), key, 1);
        expect(bareCondition(build, 'Succeeded')).toEqual({ type: 'Succeeded', status: 'True', reason: 'Completed' });
        expect(build?.status).toMatchObject({
          podName: 'app-build-1-build-pod',
          stepsCompleted: ['prepare', 'analyze', 'detect', 'restore', 'build', 'export', 'completion'],
          lifecycleVersion: '0.21.0',
          buildMetadata: [{ id: 'sample/hello', version: '1.0.0' }],
          stack: { id: 'dev.kpackless.sample' },
          latestImage: image.status?.latestImage,
        });
        expect(image.status).toMatchObject({
          latestBuildRef: 'app-build-1',
          latestBuildReason: 'CONFIG',
          buildCounter: 1,
          latestBuildImageGeneration: 1,
          latestStack: 'dev.kpackless.sample',
          buildCacheName: 'app-cache',
        });
        expect(bareConditions(image)).toEqual([
          { type: 'Ready', status: 'True', reason: 'UpToDate' },
          { type: 'BuilderReady', status: 'True', reason: 'BuilderReady' },
          { type: 'BuilderUpToDate', status: 'True', reason: 'BuilderUpToDate' },
        ]);
      });

      it('makes an app that answers', async () => {
        const { kube, transport } = the();
        const image = (await readyAfter(the(), key, 1)).status?.latestImage ?? '';
        const answer = await answerOf(kube, transport, { namespace: 'first', name: 'running', image });
        expect(answer).toBe('hello from the first build\n');
      });
    });
  },
};
