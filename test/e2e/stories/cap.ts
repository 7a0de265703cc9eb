/** More Builds than a namespace may run: one waits its turn. The others are pods that no node takes, so the node has nothing to do. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitFiles } from '../../../infra/local/git-repository.ts';
import type { Builder } from '../../../lib/api/builder.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { statusOf } from '../../../lib/reconcile/conditions.ts';
import { appFiles } from '../app-files.ts';
import { listBindings } from '../bindings.ts';
import { makeNamespace, makeOlderImage, makeSecret, steadyPlatform } from '../objects.ts';
import { bareCondition, buildOf, buildPod, podWhen, readyAfter } from '../observe.ts';
import type { Story } from '../story.ts';
import { buildsPerNamespace, type Suite } from '../suite.ts';
import { waitFor } from '../wait.ts';

const namespace = 'capped';
const app = { namespace, name: 'app' };
const repository = 'capped-app';
const holders = Array.from({ length: buildsPerNamespace }, (_, index) => `holder-${index}`);

const sourceOf = ({ cluster }: Suite) => ({
  git: { url: `http://${cluster.gitHost}/${repository}.git`, revision: 'main' },
});

/** Builds without an Image, made of a builder that is ready. */
const makeHolders = async (suite: Suite): Promise<void> => {
  const key = { kind: 'ClusterBuilder', namespace: '', name: steadyPlatform };
  const builder = await waitFor(
    async () => {
      const found = await suite.kube.get<Builder>(key);
      return statusOf(found, 'Ready') === 'True' && found;
    },
    { what: 'the builder' },
  );
  for (const name of holders)
    await suite.kube.create({
      apiVersion: 'kpack.io/v1alpha2',
      kind: 'Build',
      metadata: { namespace, name },
      spec: {
        tags: [`${suite.registry}/apps/capped-holder`],
        builder: { image: builder.status?.latestImage },
        serviceAccountName: 'builder',
        source: sourceOf(suite),
        nodeSelector: { 'kpackless.dev/story': 'nowhere' },
      },
    } as KubeObject);
};

/** Eleven Builds where ten may run. */
export const cap: Story = {
  begin: async (suite) => {
    const files = { 'build-script': listBindings };
    await commitFiles({ gitRoot: suite.cluster.gitRoot, repository, files, message: 'capped', at: new Date() });
    await makeNamespace(suite, namespace);
    const values = { password: 'sesame-of-the-cache' };
    await makeSecret(suite, namespace, { name: 'cache-login', type: 'Opaque', values });
    await suite.kube.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace, name: 'cache-facts' },
      data: { kind: 'redis' },
    } as KubeObject);
  },

  tell: (the) => {
    describe('a Build above the cap of its namespace', () => {
      beforeAll(async () => {
        await makeHolders(the());
        await waitFor(
          async () => (await the().kube.list('Pod', { namespace })).length === holders.length || undefined,
          { what: 'pods of all Builds that came first' },
        );
        await makeOlderImage(the(), {
          ...app,
          source: sourceOf(the()),
          build: {
            bindings: [{ name: 'cache', metadataRef: { name: 'cache-facts' }, secretRef: { name: 'cache-login' } }],
          },
        });
      });

      afterAll(async () => {
        const { kube } = the();
        for (const name of holders) await kube.delete((await kube.get({ kind: 'Build', namespace, name })) ?? {});
      });

      it('says that it is queued, behind whom, and has no pod', async () => {
        const said = await waitFor(
          async () => {
            const condition = bareCondition(await buildOf(the(), app, 1), 'Succeeded');
            return condition?.reason === 'Queued' && condition;
          },
          { what: 'the Build to be queued' },
        );
        expect(said).toEqual({
          type: 'Succeeded',
          status: 'Unknown',
          reason: 'Queued',
          message:
            'at most 10 builds may run at once in namespace capped (KPACKLESS_MAX_BUILDS_PER_NAMESPACE), now holder-0, holder-1, holder-2, 7 more; 0 of this namespace wait before this one',
        });
        expect(await buildPod(the(), app, 1)).toBeUndefined();
      });

      it('runs as soon as one of them has ended', async () => {
        const annotations = { 'build.kpack.io/cancel': '' };
        await the().kube.patch({ kind: 'Build', namespace, name: 'holder-5' }, { metadata: { annotations } });
        const from = Date.now();
        await podWhen(the(), app, 1);
        // Without being told it would look again after a minute.
        expect(Date.now() - from).toBeLessThan(30_000);
      });

      it('shows its buildpacks bindings in the older form, like any Build', async () => {
        const image = await readyAfter(the(), app, 1);
        expect((await appFiles(the(), image.status?.latestImage))['bindings']).toBe(
          './cache/metadata/kind: redis\n./cache/secret/password: sesame-of-the-cache\n',
        );
      });
    });
  },
};
