/** Sources that mean harm: what they try is refused or comes to nothing, and the reason is told. More in archive.test.ts and project-descriptor.test.ts. */
import { existsSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packTar } from 'modern-tar';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ExtractionBudget } from '../../../lib/steps/archive/limits.ts';
import { archiveKind, unpackArchive } from '../../../lib/steps/archive/unpack.ts';
import { type GitHttpServer, startGitHttpServer } from '../../support/git-http-server.ts';
import { type GitRoot, git, gitRoot } from '../../support/git-repository.ts';
import { pushImage, stepWorld } from '../../support/step-world.ts';
import { zipOf } from '../../support/zip.ts';

/** How an entry of a zip's directory begins. */
const central = 'PK\u0001\u0002';

describe('a hostile archive', () => {
  let folder = '';
  let into = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kpackless-hostile-'));
    into = join(folder, 'out');
    await mkdir(into);
  });
  afterEach(async () => await rm(folder, { recursive: true, force: true }));

  const unpack = async (bytes: Uint8Array, limits?: Parameters<typeof unpackArchive>[2]['limits']) => {
    const file = join(folder, 'archive');
    await writeFile(file, bytes);
    return unpackArchive(file, await archiveKind(file), { into, ...(limits === undefined ? {} : { limits }) });
  };

  it('of zip cannot make a link: its target becomes the text of a plain file', async () => {
    await unpack(zipOf([{ name: 'link', content: '/etc/passwd', mode: 0o120777 }]));
    expect((await lstat(join(into, 'link'))).isFile()).toBe(true);
    expect(await readFile(join(into, 'link'), 'utf8')).toBe('/etc/passwd');
  });

  it('of zip cannot write through a link that it brings along', async () => {
    const through = [
      { name: 'link', content: folder, mode: 0o120777 },
      { name: 'link/evil', content: 'x' },
    ];
    await expect(unpack(zipOf(through))).rejects.toThrow(/EEXIST|ENOTDIR/u);
    expect(existsSync(join(folder, 'evil'))).toBe(false);
  });

  it('of zip that declares little and holds much is refused, in one go and in a stream', async () => {
    const honest = Buffer.from(zipOf([{ name: 'a', content: '\0'.repeat(3 << 20) }]));
    const at = honest.indexOf(central);
    for (const declared of [1000, 2 << 20]) {
      const lying = Buffer.from(honest);
      lying.writeUInt32LE(declared, at + 24);
      await expect(unpack(lying)).rejects.toThrow(/"a" does not (?:inflate|have the size and checksum)/u);
    }
  });

  it('of zip that says the same bytes under many names counts each of them', async () => {
    const many = Array.from({ length: 20 }, (_, n) => ({ name: `zeros${n}`, content: '\0'.repeat(1 << 20) }));
    const zip = zipOf(many);
    // Every entry of the directory points at the first content.
    for (let at = zip.indexOf(central); at >= 0; at = zip.indexOf(central, at + 1)) zip.writeUInt32LE(0, at + 42);
    const limits = { maxEntries: 100, maxBytes: 10 << 20, maxRatio: 200 };
    await expect(unpack(zip, limits)).rejects.toThrow('more than 10485760 bytes; it is refused');
  });

  it('may become 200 times its size, and above 256 MiB not a byte more', () => {
    const budget = new ExtractionBudget(1 << 20);
    budget.bytes(256 << 20);
    expect(() => budget.bytes(1)).toThrow('more than 200 times its compressed size; it is refused');
    new ExtractionBudget(2 << 20).bytes(300 << 20);
  });
});

describe('a hostile image as source', () => {
  const entry = (
    header: { readonly name: string; readonly type?: 'file' | 'symlink'; readonly linkname?: string },
    body = '',
  ) => ({
    header: { mode: 0o644, mtime: new Date(0), ...header, size: Buffer.byteLength(body) },
    body,
  });

  it('cannot leave the workspace', async () => {
    await using world = await stepWorld();
    const layer = await packTar([entry({ name: '../evil' }, 'x')]);
    const image = await pushImage(`${world.registry.host}/src:1`, [layer]);
    await expect(world.prepare({ REGISTRY_IMAGE: image })).rejects.toThrow('leaves the source folder');
    expect(existsSync(join(world.root, 'evil'))).toBe(false);
  });

  it('cannot write through a link of an earlier layer', async () => {
    await using world = await stepWorld();
    const layers = [
      await packTar([entry({ name: 'link', type: 'symlink', linkname: world.root })]),
      await packTar([entry({ name: 'link/evil' }, 'x')]),
    ];
    await world.prepare({ REGISTRY_IMAGE: await pushImage(`${world.registry.host}/src:1`, layers) });
    expect(existsSync(join(world.root, 'evil'))).toBe(false);
    expect(await world.read('link/evil')).toBe('x');
  });
});

describe('a hostile repository', () => {
  let root: GitRoot;
  let server: GitHttpServer;
  beforeAll(async () => {
    root = await gitRoot();
    server = await startGitHttpServer({ root: root.root });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await root[Symbol.asyncDispose]();
  });

  it.each([
    ['an option', 'sub', '--upload-pack=touch PWNED'],
    ['a local path', 'sub', '/etc'],
    ['a file', 'sub', 'file:///etc'],
    ['an ssh host that is an option', 'sub', 'ssh://-oProxyCommand=touch%20PWNED/x'],
    ['a path that is an option', '-sub', 'https://127.0.0.1:1/x.git'],
  ])('whose submodule is %s gets nothing run and nothing copied', async (_what, path, url) => {
    const name = `sub-${Buffer.from(`${path} ${url}`).toString('hex').slice(-16)}`;
    const bare = await root.init(name);
    const inner = await root.commit(name, 'inner');
    const modules = join(root.root, `${name}.gitmodules`);
    await writeFile(modules, `[submodule "sub"]\n\tpath = ${path}\n\turl = ${url}\n`);
    const blob = await root.git(name, 'hash-object', '-w', modules);
    for (const info of [`100644,${blob},.gitmodules`, `160000,${inner},${path}`])
      await root.git(name, 'update-index', '--add', '--cacheinfo', info);
    const tree = await root.git(name, 'write-tree');
    await root.git(name, 'update-ref', 'refs/heads/main', await root.git(name, 'commit-tree', tree, '-m', 'x'));
    await using world = await stepWorld();
    const env = { GIT_URL: `${server.url}/${name}.git`, GIT_REVISION: 'main', GIT_INITIALIZE_SUBMODULES: 'true' };
    await expect(world.prepare(env)).rejects.toThrow('updating submodules: ');
    expect((await world.files()).filter((file) => !file.startsWith('.git'))).toStrictEqual([]);
    for (const place of [world.root, world.paths.workspace, process.cwd(), bare])
      expect(existsSync(join(place, 'PWNED'))).toBe(false);
  });

  it('cannot bring hooks, filters or a configuration that git obeys', async () => {
    await root.init('config');
    const tree = join(root.root, 'config-tree');
    await git(['clone', '-q', join(root.root, 'config.git'), tree]);
    await writeFile(join(tree, '.gitattributes'), '* filter=evil\n');
    await writeFile(join(tree, '.gitconfig'), '[filter "evil"]\n\tsmudge = touch PWNED\n');
    await writeFile(join(tree, '.lfsconfig'), '[lfs]\n\turl = https://127.0.0.1:1/evil\n');
    await mkdir(join(tree, 'hooks'));
    await writeFile(join(tree, 'hooks/post-checkout'), '#!/bin/sh\ntouch PWNED\n', { mode: 0o755 });
    await git(['-C', tree, 'add', '-A']);
    await git(['-C', tree, 'commit', '-q', '-m', 'x']);
    await git(['-C', tree, 'push', '-q', 'origin', 'HEAD:main']);
    await using world = await stepWorld();
    await world.prepare({ GIT_URL: `${server.url}/config.git`, GIT_REVISION: 'main' });
    expect(await world.files()).toStrictEqual(['.gitattributes', '.gitconfig', '.lfsconfig', 'hooks/post-checkout']);
  });
});
