/** One Image that asks for much at once: where Pod Security is strict, from a source in three places, with a service and a signing key. */
import type { Namespace, Pod } from 'kubernetes-types/core/v1.d.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import { keepLarge } from '../../../infra/local/git-lfs.ts';
import { commitFiles } from '../../../infra/local/git-repository.ts';
import type { Build } from '../../../lib/api/build.ts';
import type { Builder } from '../../../lib/api/builder.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { appFiles } from '../app-files.ts';
import { listBindings } from '../bindings.ts';
import { appKey, builderKey, secondKey } from '../keys.ts';
import { makeImage, makeNamespace, makeSecret, steadyPlatform } from '../objects.ts';
import { buildOf, readyAfter } from '../observe.ts';
import type { Story } from '../story.ts';
import { verifiedProvenance, verifiedSignatures } from '../verify.ts';

/** The Image, and its repository, which is never polled. */
export const demandingApp = { namespace: 'strict', name: 'app' };
export const demandingRepository = 'demanding';
const { namespace } = demandingApp;
const large = 'what LFS keeps\n'.repeat(1000);
const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' };

let commit: string;

/** Builds once. */
export const demanding: Story = {
  begin: async (suite) => {
    const { gitRoot, gitHost } = suite.cluster;
    const at = new Date();
    const part = { repository: 'demanding-part', files: { 'part.txt': 'from the submodule\n' }, message: 'part' };
    const submodule = await commitFiles({ gitRoot, at, ...part });
    await commitFiles({ gitRoot, at, ...part, files: { 'part.txt': 'a later commit of it\n' } });
    // The repository has to be there before something is kept in it.
    await commitFiles({ gitRoot, at, repository: demandingRepository, files: {}, message: 'empty' });
    commit = await commitFiles({
      gitRoot,
      at,
      repository: demandingRepository,
      files: {
        '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
        '.gitmodules': '[submodule "part"]\n\tpath = part\n\turl = ../demanding-part.git\n',
        'build-script': listBindings,
        'large.bin': keepLarge(gitRoot, demandingRepository, large),
      },
      submodules: { part: submodule },
      message: 'all of it',
    });
    await makeNamespace(suite, namespace, [appKey.secret, secondKey.secret], restricted);
    const values = { type: 'postgresql', password: 'sesame-of-the-database' };
    await makeSecret(suite, namespace, { name: 'database', type: 'servicebinding.io/postgresql', values });
    await makeImage(suite, {
      ...demandingApp,
      annotations: { 'image.kpack.io/pollInterval': '0' },
      source: {
        git: {
          url: `http://${gitHost}/${demandingRepository}.git`,
          revision: 'main',
          initializeSubmodules: true,
        },
      },
      build: { services: [{ kind: 'Secret', name: 'database' }] },
      cosign: { annotations: [{ name: 'team', value: 'storytellers' }] },
    });
  },

  tell: (the) => {
    describe('an Image that asks for much', () => {
      let build: Build | undefined;
      let image: string;
      let files: Readonly<Record<string, string>>;

      beforeAll(async () => {
        image = (await readyAfter(the(), demandingApp, 1)).status?.latestImage ?? '';
        build = await buildOf(the(), demandingApp, 1);
        files = await appFiles(the(), image);
      });

      it('builds in a namespace whose Pod Security is restricted and refuses other pods', async () => {
        const { kube } = the();
        const found = await kube.get<Namespace & KubeObject>({ kind: 'Namespace', namespace: '', name: namespace });
        expect(found?.metadata?.labels).toMatchObject(restricted);
        const careless = kube.create<Pod & KubeObject>({
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { namespace, name: 'careless' },
          spec: { containers: [{ name: 'app', image }] },
        });
        await expect(careless).rejects.toThrow(/violates PodSecurity "restricted/);
      });

      it('03#127 has what its submodule holds at the commit that is recorded', () => {
        expect(files['part/part.txt']).toBe('from the submodule\n');
      });

      it('has what LFS keeps, and not the pointer to it', () => {
        expect(files['large.bin']).toBe(large);
      });

      it('shows its buildpacks the service that is bound', () => {
        expect(files['bindings']).toBe('./database/password: sesame-of-the-database\n./database/type: postgresql\n');
      });

      it('03#161 is signed with both keys of its account, and @sigstore/verify accepts them', async () => {
        const keys = [appKey.publicKey, secondKey.publicKey];
        const said = {
          critical: {
            identity: { 'docker-reference': `${the().registry}/apps/strict-app` },
            image: { 'docker-manifest-digest': image.slice(image.indexOf('@') + 1) },
            type: 'cosign container image signature',
          },
          optional: {
            buildNumber: '1',
            buildTimestamp: expect.stringMatching(/^\d{8}\.\d{6}$/) as string,
            team: 'storytellers',
          },
        };
        expect(await verifiedSignatures(the(), image, keys)).toEqual([said, said]);
        await expect(verifiedSignatures(the(), image, keys.toReversed())).rejects.toThrow(/signature/);
      });

      it('03#170 has a provenance that names source and builder, and @sigstore/verify accepts it', async () => {
        expect(build?.status?.latestAttestationImage).toMatch(/\/apps\/strict-app@sha256:[0-9a-f]{64}$/);
        const builder = build?.spec.builder.image ?? '';
        expect(await verifiedProvenance(the(), image, appKey.publicKey)).toMatchObject({
          predicateType: 'https://slsa.dev/provenance/v1',
          subject: [{ digest: { sha256: image.slice(image.indexOf('@sha256:') + '@sha256:'.length) } }],
          predicate: {
            buildDefinition: {
              resolvedDependencies: [
                { uri: `http://${the().cluster.gitHost}/${demandingRepository}.git`, digest: { sha1: commit } },
                { name: 'builder-image', digest: { sha256: builder.slice(builder.indexOf('@sha256:') + 8) } },
              ],
            },
            runDetails: { builder: { id: 'https://kpack.io/slsa/signed-build' } },
          },
        });
      });

      it('is built with a builder that is signed with the key of the builder’s account', async () => {
        const key = { kind: 'ClusterBuilder', namespace: '', name: steadyPlatform };
        const status = (await the().kube.get<Builder>(key))?.status;
        const builder = status?.latestImage ?? '';
        expect(await verifiedSignatures(the(), builder, [builderKey.publicKey])).toMatchObject([
          { critical: { image: { 'docker-manifest-digest': builder.slice(builder.indexOf('@') + 1) } } },
        ]);
        expect(status?.signaturePaths).toMatchObject([{ signingSecret: 'k8s://kpack/builder-key' }]);
      });
    });
  },
};
