/** Any process may be killed at any time: started again, nothing is lost and nothing is built twice. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitFiles } from '../../../infra/local/git-repository.ts';
import type { StandaloneProcess } from '../../../infra/standalone/child.ts';
import type { Build } from '../../../lib/api/build.ts';
import { requestOf } from '../../support/audit-line.ts';
import { makeImage, makeNamespace, makePlatform, steadyPlatform } from '../objects.ts';
import { bareCondition, buildNames, type ImageKey, imageOf, podWhen, readyAfter } from '../observe.ts';
import { startKpackless } from '../processes.ts';
import type { Story } from '../story.ts';
import type { Suite } from '../suite.ts';
import { waitFor } from '../wait.ts';

const namespace = 'killed';
const keyOf = (name: string): ImageKey => ({ namespace, name });

/** Begins an Image whose build takes a few seconds. */
const begin = async (suite: Suite, name: string, slowSeconds: number, builder = steadyPlatform): Promise<void> => {
  const { gitRoot, gitHost } = suite.cluster;
  const files = { 'index.html': name, 'slow-build': String(slowSeconds) };
  await commitFiles({ gitRoot, repository: `killed-${name}`, files, message: name, at: new Date() });
  const source = { git: { url: `http://${gitHost}/killed-${name}.git`, revision: 'main' } };
  await makeImage(suite, { ...keyOf(name), source, builder: { kind: 'ClusterBuilder', name: builder } });
};

/** Names of the pods that were created in a namespace, one entry a creation, from the audit log. */
const podCreations = ({ cluster }: Suite): readonly string[] =>
  readFileSync(cluster.auditLogPath, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"verb":"create"') && line.includes('"stage":"ResponseComplete"'))
    .map(requestOf)
    .filter((request) => request.namespace === namespace && request.resource === 'pods' && request.code === 201)
    .map(({ name }) => name);

const runsBuild = (pod: Awaited<ReturnType<typeof podWhen>>): boolean =>
  pod.status?.initContainerStatuses?.some(({ name, state }) => name === 'build' && state?.running !== undefined) ??
  false;

/** Takes over from the in-process kpackless of the other stories. */
export const kills: Story = {
  begin: async (suite) => {
    await makeNamespace(suite, namespace);
  },

  tell: (the) => {
    describe('a killed process, started again', () => {
      let kpackless: StandaloneProcess;
      let before: readonly string[];

      /** Every Build of the other stories. */
      const others = async (): Promise<readonly string[]> =>
        (await the().kube.list<Build>('Build'))
          .filter(({ metadata }) => metadata.namespace !== namespace)
          .map(({ metadata }) => `${metadata.namespace}/${metadata.name} ${metadata.uid}`)
          .toSorted();

      /** Waits for the Image and gives its Builds and the pods that were ever created for them. */
      const builtFor = async (name: string) => {
        await readyAfter(the(), keyOf(name), 1);
        return {
          builds: await buildNames(the(), keyOf(name)),
          pods: podCreations(the()).filter((pod) => pod.startsWith(`${name}-build-`)),
        };
      };
      const once = (name: string) => ({ builds: [`${name}-build-1`], pods: [`${name}-build-1-build-pod`] });

      beforeAll(async () => {
        await the().stopStandalone();
        before = await others();
        kpackless = await startKpackless(the());
      });

      afterAll(async () => {
        await kpackless?.stop();
      });

      describe('at three moments at once', () => {
        beforeAll(async () => {
          const suite = the();
          await begin(suite, 'waiting', 0, 'late');
          await begin(suite, 'running', 8);
          await begin(suite, 'ended', 2);
          await Promise.all([
            waitFor(
              async () => bareCondition(await imageOf(suite, keyOf('waiting')), 'Ready')?.reason === 'BuilderNotFound',
              {
                what: 'the Image to miss its builder',
              },
            ),
            podWhen(suite, keyOf('running'), 1, runsBuild),
            podWhen(suite, keyOf('ended'), 1, runsBuild),
          ]);
          await kpackless.kill();
          await makePlatform(suite, 'late', suite.images);
          await podWhen(suite, keyOf('ended'), 1, ({ status }) => status?.phase === 'Succeeded');
          kpackless = await startKpackless(suite);
        });

        it('builds the Image whose builder came while nobody looked', async () => {
          expect(await builtFor('waiting')).toEqual(once('waiting'));
        });

        it('05#25 takes up the build whose pod ran', async () => {
          expect(await builtFor('running')).toEqual(once('running'));
        });

        it('finishes the build whose pod ended while nobody looked', async () => {
          expect(await builtFor('ended')).toEqual(once('ended'));
        });
      });

      it('is killed again and again while three Images are built, and builds each once', async () => {
        const names = ['often-a', 'often-b', 'often-c'];
        for (const [index, name] of names.entries()) {
          await begin(the(), name, index);
          await sleep(150 * (index + 1));
          await kpackless.kill();
          kpackless = await startKpackless(the());
        }
        for (const milliseconds of [0, 400, 1500]) {
          await sleep(milliseconds);
          await kpackless.kill();
          kpackless = await startKpackless(the());
        }
        expect(await Promise.all(names.map(builtFor))).toEqual(names.map(once));
      });

      it('goes on when API server and kubelet die during a build', async () => {
        const { cluster } = the();
        await begin(the(), 'outage', 2);
        await podWhen(the(), keyOf('outage'), 1, runsBuild);
        await Promise.all([cluster.stopProgram('kubelet'), cluster.stopProgram('kube-apiserver')]);
        await sleep(2000);
        await cluster.startProgram('kube-apiserver');
        await cluster.startProgram('kubelet');
        expect(await builtFor('outage')).toEqual(once('outage'));
      });

      it('has built nothing again that was built before', async () => {
        expect(await others()).toEqual(before);
      });
    });
  },
};
