/**
 * A cluster with a node moves from kpack to kpackless and back (docs/migration.md): Images with caches, a Build whose pod runs, a failure, and kpack's
 * recordings beside them. kpackless starts with a file of its own and knows nothing of what was.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PersistentVolumeClaim } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitFiles } from '../../../infra/local/git-repository.ts';
import type { StandaloneProcess } from '../../../infra/standalone/child.ts';
import type { Build } from '../../../lib/api/build.ts';
import type { ClusterBuilder } from '../../../lib/api/cluster-builder.ts';
import { kindNames } from '../../../lib/api/kinds.ts';
import { leftWithBuilderAnnotation } from '../../../lib/api/labels.ts';
import { cacheClaimName } from '../../../lib/api/names.ts';
import { kubeClient } from '../../../lib/kube/client.ts';
import { type KubeObject, keyOf, showKey } from '../../../lib/kube/object.ts';
import type { LiveDefinition } from '../../../lib/migration/definitions.ts';
import { kpackController, kpackWebhook, type LiveDeployment } from '../../../lib/migration/kpack.ts';
import { isTrue } from '../../../lib/reconcile/conditions.ts';
import { commandWorld, type Ran } from '../../support/command-run.ts';
import { type KpackWebhook, kpackDefinition, startKpackWebhook } from '../../support/kpack-release.ts';
import { giveToKpack } from '../kpack-cluster.ts';
import { makeImage, makeNamespace, makePlatform } from '../objects.ts';
import { buildNames, buildOf, buildPod, endedBuild, imageOf, podWhen, readyAfter } from '../observe.ts';
import { killRunningPrograms, startKpackless } from '../processes.ts';
import type { Story } from '../story.ts';
import type { Suite } from '../suite.ts';
import { waitFor } from '../wait.ts';

const namespace = 'moved';
const keyFor = (name: string) => ({ namespace, name });
const [app, slow, broken] = [keyFor('app'), keyFor('slow'), keyFor('broken')];
const platform = 'moved';
/** Long enough that its pod runs from before the move until after it. */
const slowSeconds = 45;
/** A pass of everything, and polls of every source. */
const quietSeconds = 20;

const commit = ({ cluster }: Suite, name: string, files: Readonly<Record<string, string>>): Promise<string> =>
  commitFiles({ gitRoot: cluster.gitRoot, repository: `moved-${name}`, files, message: name, at: new Date() });

const sourceOf = ({ cluster }: Suite, name: string) => ({
  git: { url: `http://${cluster.gitHost}/moved-${name}.git`, revision: 'main' },
});

/** What must be the same afterwards: all but versions, who owns which field, and the note on a failed Build. */
const content = (object: KubeObject): unknown => {
  const {
    resourceVersion: _,
    managedFields: __,
    annotations = {},
    ...metadata
  } = (object.metadata ?? {}) as Record<string, unknown> & { readonly annotations?: Readonly<Record<string, string>> };
  const { [leftWithBuilderAnnotation]: ___, ...others } = annotations;
  return { ...object, metadata: { ...metadata, annotations: others } };
};

const runsBuild = (pod: NonNullable<Awaited<ReturnType<typeof buildPod>>>): boolean =>
  pod.status?.initContainerStatuses?.some(({ name, state }) => name === 'build' && state?.running !== undefined) ??
  false;

/** Wants the cluster for itself, and leaves it without kpackless' definitions: the last of all. */
export const migration: Story = {
  begin: async (suite) => {
    await makeNamespace(suite, namespace);
    await makePlatform(suite, platform, suite.images);
    await commit(suite, 'app', { 'index.html': 'before' });
    await commit(suite, 'broken', { 'fail-detect': '' });
    const builder = { kind: 'ClusterBuilder', name: platform } as const;
    const cache = { volume: { size: '50Mi' } };
    await makeImage(suite, { ...app, source: sourceOf(suite, 'app'), builder, cache });
    await makeImage(suite, { ...broken, source: sourceOf(suite, 'broken'), builder });
  },

  tell: (the) => {
    describe('a cluster of kpack’s with a node', () => {
      let webhook: KpackWebhook;
      let kpackless: StandaloneProcess | undefined;
      let backup: string;
      let before: ReadonlyMap<string, unknown>;
      let claim: PersistentVolumeClaim & KubeObject;
      let builderImage: string;
      let pushed: string;
      let podUid: string | undefined;

      const migrate = async (...args: readonly string[]): Promise<Ran> => {
        const { transport } = the();
        using world = commandWorld({
          sleep: (milliseconds) => sleep(milliseconds),
          reach: async () => ({ transport, client: kubeClient(transport), close: () => undefined }),
        });
        return await world.run('migrate', ...args, '--context', 'e2e');
      };

      const everything = async (): Promise<ReadonlyMap<string, unknown>> => {
        const objects = (await Promise.all(kindNames.map((kind) => the().kube.list(kind)))).flat();
        return new Map(objects.map((object) => [showKey(keyOf(object)), content(object)]));
      };

      /** Names of Builds, here and of kpack's recordings: one more would be one that was made. */
      const allBuilds = async (): Promise<readonly string[]> =>
        (await the().kube.list<Build>('Build'))
          .filter((build) => /^(?:moved|gold-)/.test(build.metadata.namespace ?? ''))
          .map((build) => showKey(keyOf(build)))
          .toSorted();

      const claimOf = async () =>
        (await the().kube.get<PersistentVolumeClaim & KubeObject>({
          kind: 'PersistentVolumeClaim',
          namespace,
          name: cacheClaimName(app.name),
        })) ?? expect.fail('the claim is gone');

      const latestBuilder = async (): Promise<string> =>
        (await the().kube.get<ClusterBuilder>({ kind: 'ClusterBuilder', namespace: '', name: platform }))?.status
          ?.latestImage ?? '';

      /** When the registry last took the builder's tag: pushing the same again would move it. */
      const tags = async (): Promise<string> => {
        const answer = await fetch(`http://${the().registry}/v2/builders/${platform}/tags/list`);
        return await answer.text();
      };

      beforeAll(async () => {
        const suite = the();
        // Whoever worked for the stories before may have ended, or not have been let to the git host.
        await suite.stopStandalone();
        const earlier = await startKpackless(suite, 'before-move');
        await waitFor(async () => isTrue(await imageOf(suite, app), 'Ready'), { what: 'the app to be Ready' });
        await endedBuild(suite, broken, 1);
        await commit(suite, 'slow', { 'index.html': 'slow', 'slow-build': String(slowSeconds) });
        const builder = { kind: 'ClusterBuilder', name: platform } as const;
        await makeImage(suite, { ...slow, source: sourceOf(suite, 'slow'), builder });
        podUid = (await podWhen(suite, slow, 1, runsBuild)).metadata?.uid;
        await earlier.stop();
        webhook = await startKpackWebhook();
        await giveToKpack(suite, webhook);
        backup = join(suite.stateDir, 'kpack-backup.yaml');
        [before, claim, builderImage, pushed] = [
          await everything(),
          await claimOf(),
          await latestBuilder(),
          await tags(),
        ];
      }, 240_000);

      afterAll(async () => {
        killRunningPrograms();
        await kpackless?.stop();
        await webhook?.stop();
      });

      it('is looked at without a change, and nothing would be built', async () => {
        const { out, code } = await migrate('check');
        expect([0, 3]).toContain(code); // 3 where another story left something that wants a person
        expect(out).toMatch(/kpack-controller/);
        // A failure is left as kpack leaves it; nothing of this namespace would be built.
        expect(
          out.split('\n').filter((line) => line.includes('Image moved/') && line.includes('would be built')),
        ).toEqual([]);
        expect(await everything()).toEqual(before);
      });

      it('becomes kpackless’ with every field of every object as it was', async () => {
        const ran = await migrate('run', '--backup', backup, '--no-conversion', '--tenant-everywhere');
        process.stderr.write(ran.err.replaceAll(/^(?=.)/gm, 'e2e: migrate run: '));
        expect([ran.code, ran.code === 0 ? '' : ran.err]).toEqual([0, '']);
        expect(await everything()).toEqual(before);
        for (const kind of kindNames) {
          const found = (await the().kube.list<LiveDefinition>('CustomResourceDefinition')).find(
            ({ spec }) => spec.names.kind === kind,
          );
          expect(found?.status?.storedVersions).toEqual(['v1alpha2']);
        }
        const pods = await the().kube.list('Pod', { namespace: 'kpack', labelSelector: 'app=kpack-controller' });
        expect(pods).toEqual([]);
      });

      describe('once kpackless works there', () => {
        let made: readonly string[];
        beforeAll(async () => {
          // kpack's Builds whose pods no kubelet ever made are another cluster's: kpackless would make their pods here.
          const inGold = { namespace: 'gold-default' };
          for (const kind of ['Image', 'Build'])
            for (const object of await the().kube.list(kind, inGold)) await the().kube.delete(object);
          await waitFor(async () => (await the().kube.list('Build', inGold)).length === 0, {
            what: 'the Builds without pods to be gone',
          });
          made = await allBuilds();
          kpackless = await startKpackless(the(), 'moved');
        });

        it('the Build that ran goes on in the pod that it had, and ends well', async () => {
          const build = await endedBuild(the(), slow, 1);
          expect(isTrue(build, 'Succeeded')).toBe(true);
          expect((await buildPod(the(), slow, 1))?.metadata?.uid).toBe(podUid);
          await readyAfter(the(), slow, 1);
        });

        it('nothing is built, rebased or pushed that kpack would not have', async () => {
          await sleep(quietSeconds * 1000);
          expect(await allBuilds()).toEqual(made);
          expect(await latestBuilder()).toBe(builderImage);
          expect(await tags()).toBe(pushed);
          expect((await imageOf(the(), broken))?.status?.latestBuildRef).toBe('broken-build-1');
          expect(isTrue(await imageOf(the(), app), 'Ready')).toBe(true);
        });

        it('numbers go on, and the cache is the one that was there', async () => {
          await commit(the(), 'app', { 'index.html': 'after' });
          await readyAfter(the(), app, 2);
          expect(await buildNames(the(), app)).toEqual(['app-build-1', 'app-build-2']);
          const build = await buildOf(the(), app, 2);
          expect(build?.spec.cache?.volume?.persistentVolumeClaimName).toBe(claim.metadata?.name);
          expect(build?.metadata.labels?.['image.kpack.io/buildNumber']).toBe('2');
          const now = await claimOf();
          expect([now.metadata?.uid, now.spec?.volumeName]).toEqual([claim.metadata?.uid, claim.spec?.volumeName]);
        });
      });

      it('is kpack’s again, with the objects of now', async () => {
        await kpackless?.stop();
        const stood = await everything();
        const { code, err } = await migrate('back', '--backup', backup);
        expect([code, code === 0 ? '' : err]).toEqual([0, '']);
        expect(await everything()).toEqual(stood);
        for (const kind of kindNames) {
          const found = (await the().kube.list<LiveDefinition>('CustomResourceDefinition')).find(
            ({ spec }) => spec.names.kind === kind,
          );
          expect(found?.spec.versions).toMatchObject(kpackDefinition(kind, webhook).spec.versions);
        }
        for (const key of [kpackController, kpackWebhook]) {
          const found = await the().kube.get<LiveDeployment>(key);
          expect([key.name, found?.spec?.replicas]).toEqual([key.name, 1]);
        }
        const { body } = await the().transport.send({
          method: 'GET',
          path: `/apis/kpack.io/v1alpha1/namespaces/${namespace}/images/app`,
        });
        expect(JSON.parse(body)).toMatchObject({
          apiVersion: 'kpack.io/v1alpha1',
          status: { latestBuildRef: 'app-build-2' },
        });
      });
    });
  },
};
