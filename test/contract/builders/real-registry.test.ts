/** Builders in the CNCF registry, which refuses a manifest whose blobs it lacks, read back by skopeo, which checks every digest. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whichProgram } from '../../../infra/local/cluster/packages.ts';
import { type BuilderWorld, builderWorld } from '../../support/builder-world.ts';
import { diffIdOf, lifecycleLabels, storeBuildpackage, storeDockerImage } from '../../support/buildpack-images.ts';
import { platformParts, storeParts } from '../../support/platform-parts.ts';
import { type RealRegistry, realUser, registryPrograms, startRealRegistry } from '../../support/real-registry.ts';

const run = promisify(execFile);
const [program] = registryPrograms();
const skopeo = whichProgram('skopeo');
if (program === undefined)
  console.log('builders in a real registry skipped: no registry program (npm start compiles one)');
if (skopeo === undefined) console.log('reading builders with skopeo skipped: skopeo is not installed');

describe.skipIf(program === undefined)('a builder in the CNCF registry', () => {
  let world: BuilderWorld;
  let real: RealRegistry;

  beforeAll(async () => {
    real = await startRealRegistry(program ?? '', 'basic');
    world = await builderWorld();
    const at = (image: string) => ({ image: `${world.registry.host}/${image}` });
    const labels = { 'io.buildpacks.stack.id': 's' };
    const env = ['CNB_USER_ID=1000', 'CNB_GROUP_ID=1000'];
    storeDockerImage(world.registry, 's/build:1', { labels, env, layers: ['base'] });
    storeDockerImage(world.registry, 's/run:1', { labels, layers: ['run'] });
    storeDockerImage(world.registry, 'lifecycle:1', { labels: lifecycleLabels, layers: ['lifecycle'] });
    storeBuildpackage(world.registry, 'bp/a:1', 'a@1');
    world.put('ClusterStack', 'stack', { spec: { id: 's', buildImage: at('s/build:1'), runImage: at('s/run:1') } });
    world.put('ClusterLifecycle', 'default-lifecycle', { spec: at('lifecycle:1') });
    world.put('ClusterStore', 'store', { spec: { sources: [at('bp/a:1')] } });
    world.put(
      'Secret',
      'login',
      {
        type: 'kubernetes.io/basic-auth',
        data: Object.fromEntries(
          Object.entries(realUser).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
        ),
      },
      { annotations: { 'kpack.io/docker': real.host } },
    );
    world.put('ServiceAccount', 'builder', { secrets: [{ name: 'login' }] });
    await world.reconcile('ClusterStack', 'stack');
    await world.reconcile('ClusterLifecycle', 'default-lifecycle');
    await world.reconcile('ClusterStore', 'store');
  });
  afterAll(() => Promise.all([real.close(), world.registry.close()]));

  const make = async (name: string, annotations: Readonly<Record<string, string>> = {}) => {
    const spec = {
      tag: `${real.host}/builders/${name}`,
      stack: { name: 'stack' },
      store: { name: 'store' },
      order: [{ group: [{ id: 'a' }] }],
      serviceAccountName: 'builder',
    };
    world.put('Builder', name, { spec }, { annotations });
    await world.reconcile('Builder', name);
    return world.status('Builder', name);
  };

  it('is taken, with credentials from a Secret', async () => {
    const { conditions, latestImage } = await make('one');
    expect(conditions).toMatchObject([{ status: 'True' }, { status: 'True' }]);
    expect(latestImage).toContain(`${real.host}/builders/one:builder-ns-one@sha256:`);
  });

  it('is the same image in another repository, mounted there', async () => {
    await make('one');
    world.registry.clearRequests();
    const { conditions } = await make('two');
    expect(conditions).toMatchObject([{ status: 'True' }, { status: 'True' }]);
    expect(world.registry.requests.filter(({ path }) => path.includes('/blobs/'))).toEqual([]);
  });

  it.skipIf(skopeo === undefined)('is copied by skopeo, every blob checked against its digest', async () => {
    await make('one');
    const folder = await mkdtemp(join(tmpdir(), 'kpackless-builder-'));
    const login = join(folder, 'login.json');
    const auth = Buffer.from(`${realUser.username}:${realUser.password}`).toString('base64');
    await writeFile(login, JSON.stringify({ auths: { [real.host]: { auth } } }));
    const image = `docker://${real.host}/builders/one:builder-ns-one`;
    await run(skopeo ?? '', ['copy', '--src-tls-verify=false', '--src-authfile', login, image, `dir:${folder}/copy`]);
    const manifest = JSON.parse(await readFile(join(folder, 'copy', 'manifest.json'), 'utf8')) as {
      readonly config: { readonly digest: string };
      readonly layers: readonly unknown[];
    };
    const config = JSON.parse(
      await readFile(join(folder, 'copy', manifest.config.digest.slice('sha256:'.length)), 'utf8'),
    ) as { readonly rootfs: { readonly diff_ids: readonly string[] } };
    await rm(folder, { recursive: true });
    expect(manifest.layers).toHaveLength(6);
    expect(config.rootfs.diff_ids).toEqual(expect.arrayContaining(['base', 'lifecycle', 'a@1'].map(diffIdOf)));
  });

  // Last, as it replaces the parts by others.
  it.skipIf(skopeo === undefined)(
    'for two platforms is copied by skopeo as an index, every manifest and blob checked',
    async () => {
      const { registry } = world;
      for (const part of platformParts) storeParts(registry, part);
      for (const [kind, name] of [
        ['ClusterStack', 'stack'],
        ['ClusterLifecycle', 'default-lifecycle'],
        ['ClusterStore', 'store'],
      ] as const) {
        await world.reconcile(kind, name);
      }
      const { conditions, latestImage = '' } = await make('two-platforms', { 'kpack.io/platforms': 'all' });
      expect(conditions).toMatchObject([{ status: 'True' }, { status: 'True' }]);
      const folder = await mkdtemp(join(tmpdir(), 'kpackless-builder-'));
      const login = join(folder, 'login.json');
      const auth = Buffer.from(`${realUser.username}:${realUser.password}`).toString('base64');
      await writeFile(login, JSON.stringify({ auths: { [real.host]: { auth } } }));
      const image = `docker://${real.host}/builders/two-platforms@${latestImage.split('@')[1]}`;
      const options = ['--all', '--src-tls-verify=false', '--src-authfile', login];
      await run(skopeo ?? '', ['copy', ...options, image, `dir:${folder}/copy`]);
      const index = JSON.parse(await readFile(join(folder, 'copy', 'manifest.json'), 'utf8')) as {
        readonly manifests: readonly { readonly platform: { readonly architecture: string } }[];
      };
      await rm(folder, { recursive: true });
      expect(index.manifests.map(({ platform }) => platform.architecture)).toEqual(['amd64', 'arm64']);
    },
  );
});
