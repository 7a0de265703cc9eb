/** A tenant writes the pod of its Build before we do: with our names and owner reference, and steps that say what is wanted of them. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { commitFiles } from '../../../infra/local/git-repository.ts';
import type { Build } from '../../../lib/api/build.ts';
import { buildPodName } from '../../../lib/api/names.ts';
import { sourceMessage } from '../../../lib/builds/source-message.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { parseRepository } from '../../../lib/oci/reference.ts';
import { conditionOf } from '../../../lib/reconcile/conditions.ts';
import { makeNamespace, steadyPlatform } from '../objects.ts';
import type { LivePod } from '../observe.ts';
import type { Story } from '../story.ts';
import type { Suite } from '../suite.ts';
import { waitFor } from '../wait.ts';

const key = { kind: 'Build', namespace: 'strangers', name: 'app' };
const podKey = { ...key, kind: 'Pod', name: buildPodName(key.name) };
/** Not there at first: until it is, the Build waits. */
const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'late', namespace: key.namespace } };
const repository = ({ registry }: Suite): string => `${registry}/apps/strangers-app`;
const forgedCommit = 'f'.repeat(40);
const steps = ['prepare', 'analyze', 'detect', 'restore', 'build', 'export'];

let commit: string;

/** A pod that looks like ours, and ends well at once. */
const forged = (suite: Suite, { metadata }: Build): KubeObject => {
  const image = `${repository(suite)}@sha256:${'a'.repeat(64)}`;
  const result = gzipSync(JSON.stringify({ buildpackMetadata: [], latestImage: image, stackID: 's' })).toString(
    'base64',
  );
  const says = (name: string, message: string) => ({
    name,
    image: suite.images.run,
    command: ['/bin/sh', '-c', `printf '%s' '${message}' > /dev/termination-log`],
  });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: podKey.name,
      namespace: key.namespace,
      labels: { 'kpack.io/build': key.name },
      ownerReferences: [
        { apiVersion: 'kpack.io/v1alpha2', kind: 'Build', name: key.name, uid: metadata.uid ?? '', controller: true },
      ],
    },
    spec: {
      restartPolicy: 'Never',
      initContainers: steps.map((name) =>
        says(name, name === 'prepare' ? sourceMessage({ type: 'git', id: forgedCommit }) : ''),
      ),
      containers: [says('completion', result)],
    },
  } as KubeObject;
};

const buildNow = async ({ kube }: Suite): Promise<Build | undefined> => kube.get<Build>(key);
const tagsOf = (suite: Suite): Promise<readonly string[]> => suite.content.listTags(parseRepository(repository(suite)));

/** A Build by hand, whose pod somebody else writes. */
export const strangers: Story = {
  begin: async (suite) => {
    const { gitRoot, gitHost } = suite.cluster;
    const files = { 'index.html': 'reviewed' };
    commit = await commitFiles({ gitRoot, repository: 'strangers', files, message: 'reviewed', at: new Date() });
    await makeNamespace(suite, key.namespace);
    const build = await suite.kube.create<Build>({
      apiVersion: 'kpack.io/v1alpha2',
      kind: 'Build',
      metadata: { name: key.name, namespace: key.namespace },
      spec: {
        tags: [repository(suite)],
        builder: { ref: { kind: 'ClusterBuilder', name: steadyPlatform } },
        serviceAccountName: account.metadata.name,
        source: { git: { url: `http://${gitHost}/strangers.git`, revision: 'main' } },
        env: [{ name: 'DATABASE_PASSWORD', value: 'in-clear' }],
      },
    });
    await suite.kube.create(forged(suite, build));
  },

  tell: (the) => {
    describe('a pod that a tenant wrote before ours', () => {
      it('is left alone and not believed, and nothing is attested', async () => {
        const { kube } = the();
        await waitFor(async () => (await kube.get<LivePod>(podKey))?.status?.phase === 'Succeeded', {
          what: 'the forged pod to end well',
        });
        await kube.create(account);
        let build: Build | undefined;
        await waitFor(
          async () => {
            build = await buildNow(the());
            return conditionOf(build, 'Succeeded')?.reason === 'PodNameTaken';
          },
          { what: 'the Build to refuse the pod', seen: () => build?.status },
        );
        expect(conditionOf(build, 'Succeeded')).toMatchObject({
          status: 'Unknown',
          message: expect.stringContaining('is not as it would be made for this Build') as string,
        });
        expect(build?.status).not.toHaveProperty('latestImage');
        expect(await tagsOf(the())).toEqual([]);
        expect(await kube.get<LivePod>(podKey)).toBeDefined();
      });

      it('gives way to ours when it is deleted, and what is attested is what was built', async () => {
        const { kube } = the();
        const pod = await kube.get<LivePod>(podKey);
        await kube.delete({ ...pod, kind: 'Pod' });
        let build: Build | undefined;
        await waitFor(
          async () => {
            build = await buildNow(the());
            return conditionOf(build, 'Succeeded')?.status === 'True';
          },
          { what: 'the Build to end well', seen: () => build?.status },
        );
        expect(conditionOf(build, 'Succeeded')?.message ?? '').toBe('');
        const [attestation] = (await tagsOf(the())).filter((tag) => tag.endsWith('.att'));
        const { bytes } = await the().content.getManifest({
          ...parseRepository(repository(the())),
          tag: attestation ?? '',
        });
        const { layers } = JSON.parse(new TextDecoder().decode(bytes)) as {
          layers: [{ digest: `sha256:${string}`; size: number }];
        };
        const envelope = await the().content.readBlob(parseRepository(repository(the())), layers[0]);
        const { payload } = JSON.parse(new TextDecoder().decode(envelope)) as { readonly payload: string };
        const statement = Buffer.from(payload, 'base64').toString('utf8');
        expect(statement).toContain(`"digest":{"sha1":"${commit}"}`);
        expect(statement).toContain('"env":[{"name":"DATABASE_PASSWORD"}]');
        expect(statement).not.toContain('in-clear');
        expect(statement).not.toContain(forgedCommit);
      });
    });
  },
};
