/** The step image itself: unpacked and run as the node would, with a foreign uid, against real servers on loopback. Needs root, Debian tools and the mirror. */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildStepImage, type StepImage } from '../../../infra/step-image/build.ts';
import { commitGoneExitCode } from '../../../lib/api/step-exit.ts';
import { PermanentError } from '../../../lib/errors/expected.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import { type GitHttpServer, startGitHttpServer } from '../../support/git-http-server.ts';
import { type GitRoot, gitRoot } from '../../support/git-repository.ts';
import { sshdMissing, startSshServer } from '../../support/ssh-server.ts';
import { pushImage } from '../../support/step-world.ts';

const run = promisify(execFile);

/** Why it cannot be run here; an empty text when it can. */
const built: { readonly image: StepImage | undefined; readonly missing: string } = await buildStepImage().then(
  (image) => ({ image, missing: process.getuid?.() === 0 ? '' : 'chroot needs root' }),
  (error: unknown) => {
    if (!(error instanceof PermanentError)) throw error;
    return { image: undefined, missing: error.message };
  },
);

describe.skipIf(built.missing !== '')(`the step image${built.missing && ` (skipped: ${built.missing})`}`, () => {
  let rootfs = '';
  let registry: FakeRegistry;
  let root: GitRoot;
  let server: GitHttpServer;
  let commit = '';

  /** Runs a program below a folder with a uid that no passwd there knows. */
  const inRoot = (
    folder: string,
    program: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<{ readonly code: number | null; readonly output: string }> =>
    new Promise((resolve, reject) => {
      const own = (built.image?.config.config.Env ?? []).map((pair) => pair.split('=') as [string, string]);
      const child = spawn('/usr/sbin/chroot', ['--userspec=4321:4321', folder, program, ...args], {
        env: { ...Object.fromEntries(own), ...env },
        cwd: '/',
      });
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, output }));
    });

  const inImage = (
    program: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): ReturnType<typeof inRoot> => inRoot(rootfs, program, args, env);

  beforeAll(async () => {
    rootfs = await mkdtemp(join(tmpdir(), 'kpackless-rootfs-'));
    await chmod(rootfs, 0o755);
    for (const { path } of built.image?.layers ?? []) {
      const tar = spawn('tar', ['-xzp', '-C', rootfs], { stdio: ['pipe', 'ignore', 'inherit'] });
      createReadStream(path).pipe(tar.stdin);
      await new Promise((resolve) => tar.once('close', resolve));
    }
    await run('mknod', ['-m', '666', join(rootfs, 'dev/null'), 'c', '1', '3']);
    await run('mknod', ['-m', '666', join(rootfs, 'dev/urandom'), 'c', '1', '9']);
    for (const folder of ['platform', 'projectMetadata', 'builder/home', 'var/build-secrets', 'var/report']) {
      await mkdir(join(rootfs, folder), { recursive: true });
      await chmod(join(rootfs, folder), 0o777);
    }
    registry = await startFakeRegistry();
    await pushImage(`${registry.host}/run:base`, []);
    root = await gitRoot();
    await root.init('app');
    commit = await root.commit('app', 'main');
    server = await startGitHttpServer({ root: root.root });
  }, 120_000);

  afterAll(async () => {
    await registry.close();
    await server[Symbol.asyncDispose]();
    await root[Symbol.asyncDispose]();
    await rm(rootfs, { recursive: true, force: true });
  });

  it('runs prepare against a git repository as a user that the image does not know', async () => {
    const { code, output } = await inImage('/cnb/process/build-init', [], {
      GIT_URL: `${server.url}/app.git`,
      GIT_REVISION: commit,
      IMAGE_TAG: `${registry.host}/app:1`,
      RUN_IMAGE: `${registry.host}/run:base`,
      PLATFORM_ENV_GREETING: 'hello',
    });
    expect(output).toContain('Successfully cloned');
    expect(code).toBe(0);
    expect(await readFile(join(rootfs, 'projectMetadata/project-metadata.toml'), 'utf8')).toContain(commit);
    expect(await readFile(join(rootfs, 'platform/env/GREETING'), 'utf8')).toBe('hello');
    expect(await readFile(join(rootfs, 'builder/home/.docker/config.json'), 'utf8')).toBe('{"auths":{}}');
  });

  it('tells a commit that the host does not have by its exit code', async () => {
    await rm(join(rootfs, 'workspace/.git'), { recursive: true, force: true });
    const { code, output } = await inImage('/cnb/process/build-init', [], {
      GIT_URL: `${server.url}/app.git`,
      GIT_REVISION: 'f'.repeat(40),
      IMAGE_TAG: `${registry.host}/app:1`,
      RUN_IMAGE: `${registry.host}/run:base`,
    });
    expect(output).toContain(`there is no commit ${'f'.repeat(40)}`);
    expect(code).toBe(commitGoneExitCode);
  });

  it('fetches what LFS keeps, with the credentials of the host', async () => {
    const content = Buffer.from('a large file, really');
    const oid = createHash('sha256').update(content).digest('hex');
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${content.length}\n`;
    const files = await mkdtemp(join(tmpdir(), 'kpackless-lfs-'));
    await writeFile(join(files, '.gitattributes'), '*.bin filter=lfs diff=lfs merge=lfs -text\n');
    await writeFile(join(files, 'large.bin'), pointer);
    await root.init('large');
    await root.git('large', `--work-tree=${files}`, 'add', '-A');
    const made = await root.git('large', 'commit-tree', await root.git('large', 'write-tree'), '-m', 'large');
    await root.git('large', 'update-ref', 'refs/heads/main', made);
    await rm(files, { recursive: true, force: true });
    const batch = (href: string) => ({
      transfer: 'basic',
      objects: [{ oid, size: content.length, actions: { download: { href } } }],
    });
    await using lfs = await startGitHttpServer({
      root: root.root,
      login: { username: 'me', password: 'hunter2' },
      respond: (request, response) => {
        if (request.url === '/large.git/info/lfs/objects/batch') {
          response.setHeader('content-type', 'application/vnd.git-lfs+json');
          response.end(JSON.stringify(batch(`http://${request.headers.host ?? ''}/objects/${oid}`)));
          return true;
        }
        if (request.url !== `/objects/${oid}`) return false;
        response.end(content);
        return true;
      },
    });
    await rm(join(rootfs, 'workspace/.git'), { recursive: true, force: true });
    await mkdir(join(rootfs, 'var/build-secrets/login'));
    await writeFile(join(rootfs, 'var/build-secrets/login/username'), 'me');
    await writeFile(join(rootfs, 'var/build-secrets/login/password'), 'hunter2');
    const { code, output } = await inImage('/cnb/process/build-init', [`-basic-git=login=${lfs.url}`], {
      GIT_URL: `${lfs.url}/large.git`,
      GIT_REVISION: 'main',
      IMAGE_TAG: `${registry.host}/app:1`,
      RUN_IMAGE: `${registry.host}/run:base`,
    });
    expect(output).toContain('Successfully cloned');
    expect(code).toBe(0);
    expect(await readFile(join(rootfs, 'workspace/large.bin'), 'utf8')).toBe(content.toString());
    expect(output).not.toContain('hunter2');
    const login = `Basic ${Buffer.from('me:hunter2').toString('base64')}`;
    const batches = lfs.requests.filter(({ url }) => url.endsWith('/objects/batch'));
    expect(batches.map(({ authorization }) => authorization)).toEqual([login]);
  });

  it('runs completion and leaves a termination message', async () => {
    const image = await pushImage(`${registry.host}/app:1`, [], { 'io.buildpacks.stack.id': 'stack' });
    const digest = image.slice(image.indexOf('@') + 1);
    await writeFile(
      join(rootfs, 'var/report/report.toml'),
      `[image]\ntags = ["${registry.host}/app:1"]\ndigest = "${digest}"\n`,
    );
    const env = { TERMINATION_MESSAGE_PATH: '/tmp/termination-log', CACHE_TAG: '' };
    const { code, output } = await inImage('/cnb/process/completion', ['-cosign-annotations=buildNumber=1'], env);
    expect(output).toContain('Build successful');
    expect(code).toBe(0);
    expect(await readFile(join(rootfs, 'tmp/termination-log'), 'utf8')).toMatch(/^H4sI/);
  });

  it('has the https and the shell that git needs, with their libraries', async () => {
    expect((await inImage('/usr/bin/sh', ['-c', 'git --version'], {})).output).toContain('git version 2.');
    const https = await inImage('/usr/bin/git', ['ls-remote', 'https://127.0.0.1:1/x.git'], { HOME: '/tmp' });
    expect(https.output).toMatch(/Failed to connect|Couldn't connect/);
  });

  it.skipIf(sshdMissing !== undefined)(
    `speaks ssh as a user that the image does not know${sshdMissing === undefined ? '' : ` (skipped: ${sshdMissing})`}`,
    async () => {
      await using sshd = await startSshServer({ acceptsGitProtocol: true });
      await mkdir(join(rootfs, 'var/build-secrets/key'));
      await writeFile(join(rootfs, 'var/build-secrets/key/ssh-privatekey'), sshd.keys.ed25519);
      const fetchKnowing = async (knownHosts: string): Promise<string> => {
        await rm(join(rootfs, 'workspace/.git'), { recursive: true, force: true });
        await writeFile(join(rootfs, 'var/build-secrets/key/known_hosts'), knownHosts);
        const { output } = await inImage('/cnb/process/build-init', [`-ssh-git=key=${sshd.host}:${sshd.port}`], {
          GIT_URL: `ssh://git@${sshd.host}:${sshd.port}/app.git`,
          GIT_REVISION: 'main',
          IMAGE_TAG: `${registry.host}/app:1`,
          RUN_IMAGE: `${registry.host}/run:base`,
        });
        return output;
      };
      // The login is `git`, whom this machine's sshd does not know: that it refuses the login shows that ssh ran and connected.
      const refused = 'invalid credentials for repository: authentication required';
      expect(await fetchKnowing('')).toContain(refused);
      expect(await fetchKnowing(sshd.knownHosts.ed25519)).toContain(refused);
      expect(await fetchKnowing(`other.example ${sshd.knownHosts.ed25519.split(' ').slice(1).join(' ')}`)).toContain(
        `${sshd.host}:${sshd.port} is not in known_hosts`,
      );
    },
  );

  /** A root that has nothing but what the image left in `from`, and /dev/null. */
  const foreignRoot = async (from: string) => {
    const root = await mkdtemp(join(tmpdir(), 'kpackless-foreign-'));
    await chmod(root, 0o755);
    await mkdir(join(root, 'dev'));
    await run('mknod', ['-m', '666', join(root, 'dev/null'), 'c', '1', '3']);
    await run('cp', ['-a', join(rootfs, from), join(root, from)]);
    return { root, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
  };

  it('copies the waiter so that it runs where there is neither Node nor any library', async () => {
    await mkdir(join(rootfs, 'programs'));
    await chmod(join(rootfs, 'programs'), 0o777);
    const [entrypoint = ''] = built.image?.config.config.Entrypoint ?? [];
    const copied = await inImage(entrypoint, ['-mode=copy', '-to=/programs/waiter'], {});
    expect(copied).toStrictEqual({ code: 0, output: '' });
    await using foreign = await foreignRoot('programs');
    const { code, output } = await inRoot(foreign.root, '/programs/waiter', ['-mode=a b', '--', 'x'], {});
    expect([code, output]).toStrictEqual([1, expect.stringContaining('unknown -mode=a b')]);
  });

  it('03#74 has a shell and a script that start a step in its turn, copied by themselves to where there is nothing else', async () => {
    await mkdir(join(rootfs, 'turn'));
    await chmod(join(rootfs, 'turn'), 0o777);
    const files = ['/usr/bin/busybox', '/cnb/process/turn'];
    expect(await inImage('/usr/bin/busybox', ['cp', ...files, '/turn'], {})).toStrictEqual({ code: 0, output: '' });
    await using foreign = await foreignRoot('turn');
    await mkdir(join(foreign.root, 'buildWait/own'), { recursive: true });
    await chmod(join(foreign.root, 'buildWait/own'), 0o777);
    const flags = ['-signals=/buildWait', '-signal-to=/buildWait/own', '--'];
    const start = (...command: string[]) =>
      inRoot(foreign.root, '/turn/busybox', ['sh', '/turn/turn', ...flags, ...command], {});
    expect(await start('/turn/busybox', 'echo', 'a b', 'c')).toStrictEqual({ code: 0, output: 'a b c\n' });
    expect(await readFile(join(foreign.root, 'buildWait/own/done'), 'utf8')).toBe('');
    await rm(join(foreign.root, 'buildWait/own/done'));
    expect((await start('/missing')).code).toBe(127);
    expect(await readFile(join(foreign.root, 'buildWait/own/failed'), 'utf8')).toBe('');
  });

  it('asks AWS with the identity of the pod when an image is in ECR, with a program part loaded only then', async () => {
    const { code, output } = await inImage('/cnb/process/build-init', [], {
      GIT_URL: `${server.url}/app.git`,
      IMAGE_TAG: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1',
      RUN_IMAGE: `${registry.host}/run:base`,
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_ENDPOINT_URL: `http://${registry.host}`,
      AWS_MAX_ATTEMPTS: '1',
    });
    expect(output).toMatch(/Error verifying write access to ".*": .*no ECR token for 123456789012/);
    expect(
      registry.requests.some(({ authorization }) => authorization?.includes('Credential=AKIDEXAMPLE/') === true),
    ).toBe(true);
    expect(code).toBe(1);
  });

  it('exits with 2 for a command line it does not understand', async () => {
    for (const program of ['build-init', 'completion', 'rebase', 'build-waiter']) {
      const { code, output } = await inImage(`/cnb/process/${program}`, ['-nope'], {});
      expect([code, output]).toStrictEqual([2, 'flag provided but not defined: -nope\n']);
    }
    expect((await inImage('/cnb/process/rebase', [], {})).code).toBe(3);
  });
});
