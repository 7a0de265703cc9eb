/** Any process may be killed at any time: started again, nothing is lost and nothing is built twice. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitFiles } from '../../../infra/local/git-repository.ts';
import type { Build } from '../../../lib/api/build.ts';
import { makeImage, makeNamespace } from '../objects.ts';
import { buildNames, type ImageKey, podWhen, readyAfter } from '../observe.ts';
import { killRunningPrograms, type Program, startKpackless } from '../processes.ts';
import type { Story } from '../story.ts';
import type { Suite } from '../suite.ts';
import { waitFor } from '../wait.ts';

const namespace = 'killed';
const keyOf = (name: string): ImageKey => ({ namespace, name });

/** Begins an Image whose build takes a few seconds. */
const begin = async (suite: Suite, name: string, slowSeconds: number): Promise<void> => {
  const { gitRoot, gitHost } = suite.cluster;
  const files = { 'index.html': name, 'slow-build': String(slowSeconds) };
  await commitFiles({ gitRoot, repository: `killed-${name}`, files, message: name, at: new Date() });
  const source = { git: { url: `http://${gitHost}/killed-${name}.git`, revision: 'main' } };
  await makeImage(suite, { ...keyOf(name), source });
};

/** Names of the pods that were created in a namespace, one entry a creation, from the audit log. */
const podCreations = ({ cluster }: Suite): readonly string[] =>
  readFileSync(cluster.auditLogPath, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"verb":"create"') && line.includes(`"namespace":"${namespace}"`))
    .map((line) => JSON.parse(line) as AuditLine)
    .filter(
      ({ objectRef, responseStatus, stage }) =>
        stage === 'ResponseComplete' &&
        objectRef?.resource === 'pods' &&
        objectRef.subresource === undefined &&
        responseStatus?.code === 201,
    )
    .map(({ requestURI, objectRef }) => objectRef?.name ?? requestURI);

interface AuditLine {
  readonly stage: string;
  readonly requestURI: string;
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string; readonly name?: string };
  readonly responseStatus?: { readonly code?: number };
}

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
      let kpackless: Program;
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
        killRunningPrograms();
      });

      it('builds an Image that waited for its source when kpackless was killed', async () => {
        await the().cluster.gitServerHost.setReachable(false);
        await begin(the(), 'waiting', 0);
        await waitFor(() => the().kube.get({ kind: 'SourceResolver', namespace, name: 'waiting-source' }), {
          what: 'the SourceResolver',
        });
        await kpackless.kill();
        await the().cluster.gitServerHost.setReachable(true);
        expect(await buildNames(the(), keyOf('waiting'))).toEqual([]);
        kpackless = await startKpackless(the());
        expect(await builtFor('waiting')).toEqual(once('waiting'));
      });

      it('takes up a build whose pod was running when kpackless was killed', async () => {
        await begin(the(), 'running', 4);
        await podWhen(the(), keyOf('running'), 1, runsBuild);
        await kpackless.kill();
        kpackless = await startKpackless(the());
        expect(await builtFor('running')).toEqual(once('running'));
      });

      it('finishes a build whose pod ended while kpackless was dead', async () => {
        await begin(the(), 'ended', 1);
        await podWhen(the(), keyOf('ended'), 1, runsBuild);
        await kpackless.kill();
        await podWhen(the(), keyOf('ended'), 1, ({ status }) => status?.phase === 'Succeeded');
        kpackless = await startKpackless(the());
        expect(await builtFor('ended')).toEqual(once('ended'));
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

      it('goes on when the API server dies during a build', async () => {
        await begin(the(), 'apiserver', 2);
        await podWhen(the(), keyOf('apiserver'), 1, runsBuild);
        await the().cluster.stopProgram('kube-apiserver');
        await sleep(2000);
        await the().cluster.startProgram('kube-apiserver');
        expect(await builtFor('apiserver')).toEqual(once('apiserver'));
      });

      it('goes on when the kubelet dies during a build', async () => {
        await begin(the(), 'kubelet', 2);
        await podWhen(the(), keyOf('kubelet'), 1, runsBuild);
        await the().cluster.stopProgram('kubelet');
        await sleep(4000);
        await the().cluster.startProgram('kubelet');
        expect(await builtFor('kubelet')).toEqual(once('kubelet'));
      });

      it('has built nothing again that was built before', async () => {
        expect(await others()).toEqual(before);
      });
    });
  },
};
