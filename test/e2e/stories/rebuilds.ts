/** What makes a built Image build again: one story per reason, on the Image of the first build. */
import { describe, expect, it } from 'vitest';
import { commitFiles } from '../../../infra/local/git-repository.ts';
import { sampleBuildpackage } from '../../../infra/local/images/buildpackage.ts';
import { pushImage } from '../../../infra/local/images/push.ts';
import { runImage } from '../../../infra/local/images/stack.ts';
import { answerOf } from '../../../infra/local/sample/run-app.ts';
import { buildChangesAnnotation, reasonAnnotation } from '../../../lib/api/labels.ts';
import { parseReference } from '../../../lib/oci/reference.ts';
import { appFiles } from '../app-files.ts';
import { movingPlatform } from '../objects.ts';
import { buildOf, buildPod, readyAfter } from '../observe.ts';
import type { Story } from '../story.ts';
import type { Suite } from '../suite.ts';
import { firstApp as key } from './first-build.ts';

const imageKey = { kind: 'Image', ...key };

/** Why a Build was made, as its annotations say. */
const changesOf = async (suite: Suite, number: number) => {
  const annotations = (await buildOf(suite, key, number))?.metadata.annotations ?? {};
  return {
    reason: annotations[reasonAnnotation],
    changes: JSON.parse(annotations[buildChangesAnnotation] ?? '[]') as unknown,
  };
};

const answer = async ({ kube, transport }: Suite, image: string | undefined): Promise<string> =>
  answerOf(kube, transport, { namespace: key.namespace, name: 'running', image: image ?? '' });

const topLayer = async ({ content }: Suite, image: string): Promise<readonly string[]> => {
  const { bytes } = await content.getManifest(parseReference(image));
  const manifest = JSON.parse(Buffer.from(bytes).toString('utf8')) as { layers: readonly { digest: string }[] };
  return manifest.layers.map(({ digest }) => digest);
};

/** Goes on with the Image of the first build. */
export const rebuilds: Story = {
  begin: () => Promise.resolve(),

  tell: (the) => {
    describe('a built Image', () => {
      it('is built again for a commit', async () => {
        const { gitRoot } = the().cluster;
        const before = (await buildOf(the(), key, 1))?.spec.source.git?.revision;
        const files = { 'index.html': 'hello from the second commit\n' };
        const commit = await commitFiles({ gitRoot, repository: 'first', files, message: 'second', at: new Date() });
        const image = await readyAfter(the(), key, 2);
        expect(image.status?.latestBuildReason).toBe('COMMIT');
        expect(await changesOf(the(), 2)).toEqual({
          reason: 'COMMIT',
          changes: [{ reason: 'COMMIT', old: before, new: commit }],
        });
        expect(await appFiles(the(), image.status?.latestImage)).toMatchObject(files);
      });

      it('is built again for another environment, and the buildpack sees it', async () => {
        await the().kube.patch(imageKey, { spec: { build: { env: [{ name: 'GREETING', value: 'moin' }] } } });
        const image = await readyAfter(the(), key, 3);
        expect(image.status).toMatchObject({ latestBuildReason: 'CONFIG', buildCounter: 3, observedGeneration: 2 });
        const { changes } = await changesOf(the(), 3);
        expect(changes).toMatchObject([{ reason: 'CONFIG', new: { env: [{ name: 'GREETING', value: 'moin' }] } }]);
      });

      it('is built again with a new version of its buildpack', async () => {
        const { kube, registry, images } = the();
        const newer = await pushImage(
          registry,
          await sampleBuildpackage({ name: 'sample/buildpack:1.0.1', version: '1.0.1' }),
        );
        await kube.patch(
          { kind: 'ClusterStore', namespace: '', name: movingPlatform },
          { spec: { sources: [{ image: images.buildpack }, { image: newer }] } },
        );
        const image = await readyAfter(the(), key, 4);
        expect(image.status?.latestBuildReason).toBe('BUILDPACK');
        expect((await buildOf(the(), key, 4))?.status?.buildMetadata).toMatchObject([
          { id: 'sample/hello', version: '1.0.1' },
        ]);
        expect(await changesOf(the(), 4)).toEqual({
          reason: 'BUILDPACK',
          changes: [{ reason: 'BUILDPACK', old: [{ id: 'sample/hello', version: '1.0.0' }], new: null }],
        });
      });

      it('is rebased onto a new run image without a pod', async () => {
        const { kube, registry } = the();
        const before = (await buildOf(the(), key, 4))?.status;
        const newer = await pushImage(registry, await runImage({ name: 'run:2', release: '2' }));
        await kube.patch(
          { kind: 'ClusterStack', namespace: '', name: movingPlatform },
          { spec: { runImage: { image: newer } } },
        );
        const image = await readyAfter(the(), key, 5);
        const build = await buildOf(the(), key, 5);
        expect(image.status?.latestBuildReason).toBe('STACK');
        expect(build?.status?.stack?.runImage).toMatch(new RegExp(`@${newer.split('@')[1]}$`));
        expect(build?.status?.podName).toBeUndefined();
        expect(await buildPod(the(), key, 5)).toBeUndefined();
        expect(image.status?.latestImage).not.toBe(before?.latestImage);

        const [oldLayers, newLayers] = [before?.latestImage ?? '', image.status?.latestImage ?? ''].map((reference) =>
          topLayer(the(), reference),
        );
        const base = await topLayer(the(), newer);
        expect((await newLayers)?.slice(0, base.length)).toEqual(base);
        expect((await newLayers)?.slice(base.length)).toEqual((await oldLayers)?.slice(base.length));
        expect(await answer(the(), image.status?.latestImage)).toBe('hello from the second commit\n');
      });
    });
  },
};
