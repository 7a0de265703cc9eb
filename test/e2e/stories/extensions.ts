/** Image extensions with the real lifecycle: the build image and the run image are extended, another run image is chosen, and rebases know of it. */
import { gunzipSync } from 'node:zlib';
import { unpackTar } from 'modern-tar';
import { describe, expect, it } from 'vitest';
import { commitFiles } from '../../../infra/local/git-repository.ts';
import { SAMPLE_EXTENSION_ID, sampleExtension } from '../../../infra/local/images/extension.ts';
import { pushImage } from '../../../infra/local/images/push.ts';
import { runImage } from '../../../infra/local/images/stack.ts';
import { answerOf } from '../../../infra/local/sample/run-app.ts';
import type { ClusterBuilder } from '../../../lib/api/cluster-builder.ts';
import { readImage } from '../../../lib/oci/image.ts';
import { parseReference } from '../../../lib/oci/reference.ts';
import { goesFirst, makeImage, makeNamespace, makePlatform } from '../objects.ts';
import { bareCondition, buildNames, buildOf, buildPod, imageOf, readyAfter } from '../observe.ts';
import type { Story } from '../story.ts';
import type { Suite } from '../suite.ts';
import { waitFor } from '../wait.ts';

const platform = 'extended';
const namespace = 'extended';
const restricted = 'extended-restricted';
const keyOf = (name: string) => ({ namespace, name });

const otherRunImage = async (): ReturnType<typeof runImage> => runImage({ name: 'other-run:1', release: 'other' });

/** What the app says of its images: what was added to the build image, the release of its run image, what was added to that. */
const told = async ({ kube, transport }: Suite, image: string | undefined): Promise<readonly string[]> => {
  const pod = { namespace, name: 'running', image: image ?? '' };
  return (await answerOf(kube, transport, { ...pod, path: '/images' })).trim().split('\n');
};

/** Files of the layer that comes after `below` others: the extension’s. */
const filesAfter = async ({ content }: Suite, image: string | undefined, below: number): Promise<readonly string[]> => {
  const { reference, layers } = await readImage(content, parseReference(image ?? ''));
  const layer = layers[below];
  if (layer === undefined) return [];
  const entries = await unpackTar(gunzipSync(await content.readBlob(reference, layer)));
  return entries.flatMap(({ header }) => (header.type === 'directory' ? [] : [header.name.replace(/^\//, '')]));
};

/** Pod Security of a namespace. */
const enforce = async ({ kube }: Suite, name: string, level: string): Promise<void> => {
  const labels = { 'pod-security.kubernetes.io/enforce': level };
  await kube.patch({ kind: 'Namespace', namespace: '', name }, { metadata: { labels } });
};

const makeApp = async (
  suite: Suite,
  where: string,
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<void> => {
  const { gitRoot, gitHost } = suite.cluster;
  const repository = `${where}-${name}`;
  await commitFiles({ gitRoot, repository, files: { 'show-images': '', ...files }, message: name, at: new Date() });
  await makeImage(suite, {
    namespace: where,
    name,
    builder: { kind: 'ClusterBuilder', name: platform },
    source: { git: { url: `http://${gitHost}/${repository}.git`, revision: 'main' } },
    build: goesFirst,
  });
};

/** Steps of a build with extensions. */
const steps = 'prepare extend-start analyze detect restore extend-gate extend-run extend-build export completion'.split(
  ' ',
);
const extended = 'extended as user 0';

/** Four Images of one builder with an extension, one of them where Pod Security refuses it. */
export const extensions: Story = {
  begin: async (suite) => {
    const { registry, images } = suite;
    const extension = await pushImage(
      registry,
      await sampleExtension({ name: 'sample/extension:1.0.0', version: '1.0.0' }),
    );
    const other = await pushImage(registry, await otherRunImage());
    await makePlatform(suite, platform, { ...images, extension });
    await makeNamespace(suite, namespace);
    await enforce(suite, namespace, 'baseline');
    await makeNamespace(suite, restricted);
    await enforce(suite, restricted, 'restricted');
    await makeApp(suite, namespace, 'both', {});
    await makeApp(suite, namespace, 'rebasable', { rebasable: '' });
    await makeApp(suite, namespace, 'chosen', { 'choose-run-image': other });
    await makeApp(suite, namespace, 'switched', { 'choose-run-image': other, 'as-it-is': '' });
    await makeApp(suite, restricted, 'app', {});
  },

  tell: (the) => {
    describe('a builder with an image extension', () => {
      it('says so, and extends build image and run image as root in a baseline namespace', async () => {
        const image = await readyAfter(the(), keyOf('both'), 1, 180);
        const builder = await the().kube.get<ClusterBuilder>({ kind: 'ClusterBuilder', namespace: '', name: platform });
        expect(builder?.status?.orderExtensions).toEqual([{ group: [{ id: SAMPLE_EXTENSION_ID, version: '1.0.0' }] }]);
        const build = await buildOf(the(), keyOf('both'), 1);
        expect(build?.status?.stepsCompleted).toEqual(steps);
        expect(build?.status?.buildMetadata).toMatchObject([
          { id: 'sample/hello' },
          { id: SAMPLE_EXTENSION_ID, version: '1.0.0' },
        ]);
        expect(await told(the(), image.status?.latestImage)).toEqual([extended, '1', extended]);
        const base = (await readImage(the().content, parseReference(the().images.run))).layers.length;
        expect(await filesAfter(the(), image.status?.latestImage, base)).toEqual(['etc/run-image']);
      });

      it('may choose another run image, which is then extended in itself', async () => {
        const image = await readyAfter(the(), keyOf('chosen'), 1, 120);
        expect(await told(the(), image.status?.latestImage)).toEqual([extended, 'other', extended]);
      });

      it('may choose another run image and leave it as it is; nothing is built again because of it', async () => {
        const image = await readyAfter(the(), keyOf('switched'), 1, 120);
        expect(await told(the(), image.status?.latestImage)).toEqual(['as it was', 'other']);
        const { digest } = await otherRunImage();
        const build = await buildOf(the(), keyOf('switched'), 1);
        expect(build?.status?.stack?.runImage).toBe(`${the().registry}/other-run@${digest}`);
        expect(await buildNames(the(), keyOf('switched'))).toEqual(['switched-build-1']);
      });

      it('is refused by a restricted namespace, and the Build says what would help', async () => {
        const refused = await waitFor(
          async () => {
            const condition = bareCondition(
              await buildOf(the(), { namespace: restricted, name: 'app' }, 1),
              'Succeeded',
            );
            return condition?.reason === 'PodRefused' && condition;
          },
          { what: 'the Build to be refused' },
        );
        expect(refused.status).toBe('Unknown');
        expect(refused.message).toMatch(
          /violates PodSecurity "restricted:latest": .*a namespace that enforces baseline$/,
        );
      });

      it('has a rebasable app rebased with its extension, and another one built again', async () => {
        const { kube, registry } = the();
        for (const name of ['chosen', 'switched']) await kube.delete((await imageOf(the(), keyOf(name))) ?? {});
        await readyAfter(the(), keyOf('rebasable'), 1, 120);
        const newer = await pushImage(registry, await runImage({ name: 'extended-run:2', release: '2' }));
        await kube.patch(
          { kind: 'ClusterStack', namespace: '', name: platform },
          { spec: { runImage: { image: newer } } },
        );
        const rebased = await readyAfter(the(), keyOf('rebasable'), 2, 120);
        expect(rebased.status?.latestBuildReason).toBe('STACK');
        expect(await buildPod(the(), keyOf('rebasable'), 2)).toBeUndefined();
        expect(await told(the(), rebased.status?.latestImage)).toEqual([extended, '2', extended]);

        const rebuilt = await readyAfter(the(), keyOf('both'), 2, 120);
        expect(rebuilt.status?.latestBuildReason).toBe('STACK');
        expect((await buildOf(the(), keyOf('both'), 2))?.status?.stepsCompleted).toEqual(steps);
        expect(await told(the(), rebuilt.status?.latestImage)).toEqual([extended, '2', extended]);
      });
    });
  },
};
