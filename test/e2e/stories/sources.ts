/** Ten Images at once on the one node: every kind of source with every kind of cache, with and without credentials. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PersistentVolumeClaim } from 'kubernetes-types/core/v1.d.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import { commitFiles } from '../../../infra/local/git-repository.ts';
import { makeImage as imageOfLayers } from '../../../infra/local/images/image.ts';
import { makeLayer } from '../../../infra/local/images/layer.ts';
import { pushImage } from '../../../infra/local/images/push.ts';
import { pushSourceImage } from '../../../infra/local/sample/source-image.ts';
import type { KubeObject } from '../../../lib/kube/object.ts';
import { openRegistry } from '../../../lib/oci/client.ts';
import { parseReference } from '../../../lib/oci/reference.ts';
import { realUser } from '../../support/real-registry.ts';
import { zipOf } from '../../support/zip.ts';
import { appFiles } from '../app-files.ts';
import { startBlobHost, startPrivateGit, startPrivateRegistry, startSshHost } from '../hosts.ts';
import { makeImage, makeNamespace, type StorySecret, type WantedImage } from '../objects.ts';
import { buildOf, readyAfter } from '../observe.ts';
import type { Story } from '../story.ts';
import type { Suite } from '../suite.ts';

const namespace = 'ten';
type Cache = 'none' | 'volume' | 'registry';
type Wanted = Pick<WantedImage, 'source' | 'tag'>;

const hasSsh = existsSync('/usr/sbin/sshd');
if (!hasSsh)
  process.stderr.write('e2e: ssh is left out: /usr/sbin/sshd is not installed (apt-get install openssh-server)\n');

/** The ten, by name; what the app has as its page is the name. */
const images: readonly { readonly name: string; readonly cache: Cache; readonly what: string }[] = [
  { name: 'git-login', cache: 'none', what: 'a directory of a git repository behind a password, no cache' },
  ...(hasSsh ? [{ name: 'git-ssh', cache: 'volume' as const, what: 'git over ssh, cache in a volume' }] : []),
  { name: 'git-commit', cache: 'registry', what: 'a git commit, cache in the registry' },
  { name: 'blob-tgz', cache: 'none', what: 'a tar.gz without its top folder, no cache' },
  { name: 'blob-zip', cache: 'volume', what: 'a zip, cache in a volume' },
  { name: 'blob-tar', cache: 'registry', what: 'a directory of a tar, cache in the registry' },
  { name: 'image-secret', cache: 'none', what: 'an image in a registry behind a password, no cache' },
  { name: 'image-volume', cache: 'volume', what: 'an image, cache in a volume' },
  { name: 'image-registry', cache: 'registry', what: 'an image, cache in the registry' },
  { name: 'to-vault', cache: 'none', what: 'git, pushed to a registry behind a password' },
];

const cacheOf = ({ registry }: Suite, name: string, cache: Cache): Pick<WantedImage, 'cache'> => {
  if (cache === 'none') return {};
  return {
    cache: cache === 'volume' ? { volume: { size: '50Mi' } } : { registry: { tag: `${registry}/caches/${name}` } },
  };
};

/** The page of `name`. */
const page = (name: string): string => `${name}\n`;

const tar = (
  folder: string,
  archive: string,
  options: readonly string[],
  entries: Readonly<Record<string, string>>,
): void => {
  const from = join(folder, `${archive}.d`);
  for (const [path, content] of Object.entries(entries)) {
    mkdirSync(join(from, path, '..'), { recursive: true });
    writeFileSync(join(from, path), content);
  }
  execFileSync('tar', ['-C', from, ...options, '-f', join(folder, archive), ...readdirSync(from)], { timeout: 10_000 });
};

const blobSources = async (suite: Suite): Promise<Readonly<Record<string, Wanted>>> => {
  const { host, folder } = await startBlobHost(suite);
  tar(folder, 'folded.tar.gz', ['-cz'], { 'top/index.html': page('blob-tgz') });
  tar(folder, 'plain.tar', ['-c'], { 'web/index.html': page('blob-tar'), 'fail-build': 'not in web\n' });
  writeFileSync(join(folder, 'app.zip'), zipOf([{ name: 'index.html', content: page('blob-zip') }]));
  const url = (file: string): string => `http://${host}/${file}`;
  return {
    'blob-tgz': { source: { blob: { url: url('folded.tar.gz'), stripComponents: 1 } } },
    'blob-tar': { source: { blob: { url: url('plain.tar') }, subPath: 'web' } },
    'blob-zip': { source: { blob: { url: url('app.zip') } } },
  };
};

const gitSources = async (suite: Suite, secrets: StorySecret[]): Promise<Readonly<Record<string, Wanted>>> => {
  const { gitRoot, gitHost } = suite.cluster;
  const commit = (root: string, name: string, files: Readonly<Record<string, string>>): Promise<string> =>
    commitFiles({ gitRoot: root, repository: name, files, message: name, at: new Date() });
  const guarded = await startPrivateGit(suite);
  secrets.push(guarded.secret);
  await commit(guarded.gitRoot, 'app', { 'site/index.html': page('git-login'), 'fail-build': 'not in site\n' });
  const id = await commit(gitRoot, 'git-commit', { 'index.html': page('git-commit') });
  await commit(gitRoot, 'git-commit', { 'fail-build': 'a later commit\n' });
  const sources: Record<string, Wanted> = {
    'git-login': { source: { git: { url: `http://${guarded.host}/app.git`, revision: 'main' }, subPath: 'site' } },
    'git-commit': { source: { git: { url: `http://${gitHost}/git-commit.git`, revision: id } } },
  };
  if (hasSsh) {
    const ssh = await startSshHost(suite);
    secrets.push(ssh.secret);
    await commit(gitRoot, 'git-ssh', { 'index.html': page('git-ssh') });
    sources['git-ssh'] = { source: { git: { url: `git@${ssh.host}:${ssh.path}/git-ssh.git`, revision: 'main' } } };
  }
  return sources;
};

const imageSources = async (suite: Suite, secrets: StorySecret[]): Promise<Readonly<Record<string, Wanted>>> => {
  const { registry } = suite;
  const { gitRoot, gitHost } = suite.cluster;
  const vault = await startPrivateRegistry(suite);
  secrets.push(vault.secret);
  const layer = await makeLayer([{ path: 'index.html', content: page('image-secret') }]);
  await pushImage(vault.host, imageOfLayers('source:1', [layer], {}), vaultKeychain);
  const plain = (name: string) => pushSourceImage(registry, { 'index.html': page(name) }, `source/${name}:1`);
  await commitFiles({
    gitRoot,
    repository: 'to-vault',
    files: { 'index.html': page('to-vault') },
    message: 'to-vault',
    at: new Date(),
  });
  return {
    'image-secret': {
      source: { registry: { image: `${vault.host}/source:1`, imagePullSecrets: [{ name: vault.secret.name }] } },
    },
    'image-volume': { source: { registry: { image: await plain('image-volume') } } },
    'image-registry': { source: { registry: { image: await plain('image-registry') } } },
    'to-vault': {
      source: { git: { url: `http://${gitHost}/to-vault.git`, revision: 'main' } },
      tag: `${vault.host}/apps/to-vault`,
    },
  };
};

const vaultKeychain = () => Promise.resolve({ kind: 'basic' as const, ...realUser });

/** Ten Images. */
export const sources: Story = {
  begin: async (suite) => {
    const secrets: StorySecret[] = [];
    const wanted: Readonly<Record<string, Wanted>> = {
      ...(await blobSources(suite)),
      ...(await gitSources(suite, secrets)),
      ...(await imageSources(suite, secrets)),
    };
    await makeNamespace(suite, namespace, secrets);
    await Promise.all(
      images.map(({ name, cache }) => {
        const given = wanted[name];
        if (given === undefined) throw new Error(`nothing is known about Image ${name}`);
        return makeImage(suite, { namespace, name, ...given, ...cacheOf(suite, name, cache) });
      }),
    );
  },

  tell: (the) => {
    describe('ten Images at once on one node', () => {
      beforeAll(async () => {
        await Promise.all(images.map(({ name }) => readyAfter(the(), { namespace, name }, 1)));
      });

      for (const { name, cache, what } of images.filter((image) => image.name !== 'to-vault'))
        it(`builds from ${what}`, async () => {
          const { kube, content } = the();
          const status = (await buildOf(the(), { namespace, name }, 1))?.status;
          expect((await appFiles(the(), status?.latestImage))['index.html']).toBe(page(name));
          const key = { kind: 'PersistentVolumeClaim', namespace, name: `${name}-cache` };
          const claim = await kube.get<PersistentVolumeClaim & KubeObject>(key);
          expect(claim?.status?.phase).toBe(cache === 'volume' ? 'Bound' : undefined);
          const cacheImage = status?.latestCacheImage;
          const kept = cacheImage === undefined ? undefined : await content.headManifest(parseReference(cacheImage));
          expect(kept !== undefined).toBe(cache === 'registry');
        });

      it('pushes to a registry behind a password, which anonymous callers cannot read', async () => {
        const image = (await buildOf(the(), { namespace, name: 'to-vault' }, 1))?.status?.latestImage ?? '';
        const reference = parseReference(image);
        await expect(openRegistry({ keychain: vaultKeychain }).headManifest(reference)).resolves.toBeDefined();
        await expect(the().content.headManifest(reference)).rejects.toMatchObject({ code: 'unauthorized' });
      });
    });
  },
};
