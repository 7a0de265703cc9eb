/**
 * Point 6: steps are apart in the pod. What used to work: with injected sidecars, code in `build` rewrote libc under the waiter in the volume
 * that all steps share and ran in `completion`, which holds the signing keys; or it wrote another step's done file.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Container, Pod, VolumeMount } from 'kubernetes-types/core/v1.d.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commitFiles } from '../../infra/local/git-repository.ts';
import { buildPod } from '../../lib/builds/pod/build-pod.ts';
import { openRegistry } from '../../lib/oci/client.ts';
import { parseReference } from '../../lib/oci/reference.ts';
import { complete } from '../../lib/steps/completion/completion.ts';
import { gate } from '../../lib/steps/extension/steps.ts';
import { cosignKey } from '../support/cosign-key.ts';
import { startGitHttpServer } from '../support/git-http-server.ts';
import { gitRoot } from '../support/git-repository.ts';
import { podVariants, type Variant } from '../support/pod-variants.ts';
import { pushImage, stepWorld } from '../support/step-world.ts';
import { turnWorld } from '../support/turn.ts';
import { buildB, contextB, stepsOf } from '../unit/builds/base-build.ts';

/** Whose code runs in a step. */
type Code = 'ours' | 'builder image' | 'buildpacks';
const codeIn = ({ name, image }: Container): Code => {
  if (image === 'steps') return 'ours';
  return ['analyze', 'restore', 'export'].includes(name) ? 'builder image' : 'buildpacks';
};

/** A place in a volume, as `volume/sub/path`. */
const placeOf = ({ name, subPath = '' }: VolumeMount, below = ''): string =>
  [name, ...subPath.split('/'), ...below.split('/')].filter((part) => part !== '').join('/');

const overlap = (one: string, other: string): boolean =>
  `${one}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${one}/`);

const isVolatile = ({ spec }: Pod, { name }: VolumeMount): boolean => {
  const volume = spec?.volumes?.find((candidate) => candidate.name === name);
  return volume?.emptyDir !== undefined || volume?.persistentVolumeClaim !== undefined;
};

const writable = (pod: Pod, { volumeMounts = [] }: Container): readonly string[] =>
  volumeMounts.filter((mount) => mount.readOnly !== true && isVolatile(pod, mount)).map((mount) => placeOf(mount));

/** Where in a volume the file is that the step sees at this path; undefined when it is of the step's image. */
const seenAt = ({ volumeMounts = [] }: Container, path: string): string | undefined => {
  const [mount] = volumeMounts
    .filter(({ mountPath }) => `${path}/`.startsWith(`${mountPath}/`))
    .toSorted((a, b) => b.mountPath.length - a.mountPath.length);
  return mount === undefined ? undefined : placeOf(mount, path.slice(mount.mountPath.length));
};

/** Everything that a step starts: its command, a script that its shell is given, and commands that it is handed as arguments. */
const started = ({ command = [], args = [] }: Container): readonly string[] => [
  ...command.filter((word) => word.startsWith('/')),
  ...args.flatMap((arg, index) => (args[index - 1] === '--' ? [arg] : [])),
];

/** Steps that could write the place before, or while, this one runs. */
const writersOf = ({ pod, atOnce }: Variant, place: string, reader: Container): readonly Container[] => {
  const steps = stepsOf(pod);
  const before = atOnce ? steps.filter(({ name }) => name !== reader.name) : steps.slice(0, steps.indexOf(reader));
  return before.filter((step) => writable(pod, step).some((written) => overlap(written, place)));
};

const variants = podVariants();
const names = (steps: readonly Container[]): readonly string[] => steps.map(({ name }) => name);

/** Each fact about the pods once, however many of them it is true for. */
const facts = (of: (variant: Variant, step: Container) => readonly string[]): readonly string[] =>
  [...new Set(variants.flatMap((variant) => stepsOf(variant.pod).flatMap((step) => of(variant, step))))].sort();

describe('what a step can write, in every kind of pod', () => {
  it('is nothing that another step starts: programs come from images, or from who put them there before any tenant’s code ran', () => {
    const found = facts((variant, step) =>
      started(step).flatMap((program) => {
        const place = seenAt(step, program);
        return place === undefined ? [] : [`${place} by ${names(writersOf(variant, place, step)).join(' ')}`];
      }),
    );
    expect(found).toEqual([
      'extender-dir/extender by restore',
      'programs-dir/waiter by extend-start',
      'turn-dir/busybox by prepare',
      'turn-dir/turn by prepare',
    ]);
  });

  it('is nothing that a step starts itself', () => {
    const found = facts(({ pod }, step) =>
      started(step).flatMap((program) => {
        const place = seenAt(step, program);
        return place !== undefined && writable(pod, step).some((written) => overlap(written, place)) ? [program] : [];
      }),
    );
    expect(found).toEqual([]);
  });

  it('is nothing that our own steps run, who start what is in their image alone', () => {
    const found = facts((_variant, step) =>
      codeIn(step) === 'ours' ? started(step).filter((program) => seenAt(step, program) !== undefined) : [],
    );
    expect(found).toEqual([]);
  });

  it('is one signal, its own, and every other step’s it can only read', () => {
    for (const { pod, title } of variants) {
      const steps = pod.spec?.containers ?? [];
      for (const step of steps) {
        const signals = writable(pod, step).filter((place) => overlap(place, 'build-wait-dir'));
        const expected = steps.length > 1 ? [`build-wait-dir/${step.name}`] : [];
        expect(signals, `${step.name} of ${title}`).toEqual(expected);
      }
      for (const step of pod.spec?.initContainers ?? [])
        expect(
          writable(pod, step).filter((place) => overlap(place, 'build-wait-dir')),
          `in ${title}`,
        ).toEqual([]);
    }
  });

  it('is nothing where the source is fetched: git runs what the repository’s configuration and hooks say, with credentials', () => {
    const found = facts((variant, step) => {
      if (step.name !== 'prepare') return [];
      const handsOver = (step.env ?? []).some(({ name }) => name === 'HAND_OVER_TO');
      const place = handsOver ? 'workspace-dir/source' : 'workspace-dir';
      return writersOf(variant, place, step).map(({ name }) => name);
    });
    expect(found).toEqual([]);
  });

  it('reaches our own steps in three files, which are read as what they are', () => {
    const found = facts((variant, step) => {
      if (codeIn(step) !== 'ours') return [];
      return (step.volumeMounts ?? [])
        .filter((mount) => isVolatile(variant.pod, mount) && mount.name !== 'build-wait-dir' && mount.readOnly === true)
        .flatMap((mount) =>
          writersOf(variant, placeOf(mount), step)
            .filter((writer) => codeIn(writer) !== 'ours')
            .map((writer) => `${step.name} reads ${placeOf(mount)} of ${writer.name}`),
        );
    });
    expect(found).toEqual([
      'completion reads report-dir of export',
      'extend-gate reads analyzed-dir of analyze',
      'extend-gate reads analyzed-dir of detect',
      'extend-gate reads analyzed-dir of restore',
    ]);
  });

  it('where buildpacks run, is never the report, the home with credentials, the project’s metadata, the cache, or, without extensions, the run image', () => {
    const found = facts(({ pod, hasExtensions }, step) =>
      codeIn(step) === 'buildpacks'
        ? writable(pod, step).map((place) => `${place.split('/')[0]}${hasExtensions ? '*' : ''}`)
        : [],
    );
    expect(found).toEqual([
      'analyzed-dir*',
      'build-wait-dir',
      'build-wait-dir*',
      'kaniko-build-dir*',
      'kaniko-run-dir*',
      'layers-dir',
      'layers-dir*',
      'workspace-dir',
      'workspace-dir*',
    ]);
  });
});

describe('annotations of a Build, which whoever makes its Image writes', () => {
  it('turn off nothing of what keeps containers apart, and give no step an identity', () => {
    const given = {
      'container.apparmor.security.beta.kubernetes.io/build': 'unconfined',
      'seccomp.security.alpha.kubernetes.io/pod': 'unconfined',
      'io.kubernetes.cri-o.Devices': '/dev/mem',
      'io.katacontainers.config.hypervisor.path': '/tmp/x',
      'dev.gvisor.flag.network': 'host',
      'eks.amazonaws.com/skip-containers': '',
      'team.example/cost': 'kept',
    };
    expect(buildPod(buildB({}, { annotations: given }), contextB()).metadata?.annotations).toEqual({
      'team.example/cost': 'kept',
      'sidecar.istio.io/inject': 'false',
      'eks.amazonaws.com/skip-containers': 'detect,build',
      'azure.workload.identity/skip-containers': 'detect;build',
    });
  });
});

describe('what prepare leaves where buildpacks see it', () => {
  it('has no credential in it, of a host that asks for one', async () => {
    await using root = await gitRoot();
    const at = new Date(0);
    await commitFiles({ gitRoot: root.root, repository: 'app', files: { 'a.txt': 'a\n' }, message: 'a', at });
    const login = { username: 'ada', password: 'sesame-open' };
    await using server = await startGitHttpServer({ root: root.root, login });
    await using world = await stepWorld();
    await world.secret('git', login);
    await world.prepare({ GIT_URL: `${server.url}/app.git`, GIT_REVISION: 'main' }, [`-basic-git=git=${server.url}`]);
    expect(await world.read('a.txt')).toBe('a\n');
    const basic = Buffer.from(`${login.username}:${login.password}`).toString('base64');
    for (const folder of [world.paths.workspace, world.paths.platformDir, world.paths.metadataDir])
      for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const text = await readFile(join(entry.parentPath, entry.name), 'latin1');
        expect(text, `in ${entry.name}`).not.toMatch(new RegExp(`${login.password}|${basic}`));
      }
  });
});

describe('what a step of ours does with what a tenant’s step left', () => {
  it('prepare runs nothing that others write into the repository that they see, while it fetches', async () => {
    await using root = await gitRoot();
    const at = new Date(0);
    await commitFiles({ gitRoot: root.root, repository: 'app', files: { 'a.txt': 'a\n' }, message: 'a', at });
    await using server = await startGitHttpServer({ root: root.root });
    await using world = await stepWorld();
    const app = join(world.paths.workspace, 'app');
    const ran = join(world.root, 'ran');
    const config = join(app, '.git/config');
    await mkdir(join(app, '.git/info'), { recursive: true });
    await writeFile(join(app, '.git/info/attributes'), '* filter=evil\n');
    const filter = `[filter "evil"]\n\tsmudge = "env > ${ran}; cat"\n\trequired = true\n`;
    // A step that runs beside it, again and again.
    const attacker = setInterval(() => {
      if (!existsSync(config) || !readFileSync(config, 'utf8').includes('evil')) appendFileSync(config, filter);
    }, 2);
    try {
      const url = `${server.url}/app.git`;
      await world.prepare({ GIT_URL: url, GIT_REVISION: 'main', HAND_OVER_TO: app });
    } finally {
      clearInterval(attacker);
    }
    await expect(readFile(ran)).rejects.toThrow('ENOENT');
  });

  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kpackless-apart-'));
  });
  afterEach(async () => await rm(folder, { recursive: true, force: true }));

  /** The report of a build whose export step is the attacker's. */
  const attacked = async (world: Awaited<ReturnType<typeof stepWorld>>, report: string): Promise<unknown> => {
    const env = {
      IMAGE_TAG: `${world.registry.host}/app:1`,
      TERMINATION_MESSAGE_PATH: join(world.root, 'message'),
      CACHE_TAG: '',
    };
    const paths = { report, secretsDir: world.paths.secretsDir, keysDir: join(world.paths.secretsDir, 'cosign') };
    return await complete(world.step([], env), paths).catch((error: unknown) => error);
  };

  it('completion signs nothing outside of the Build’s repository, whatever the report names', async () => {
    await using world = await stepWorld();
    await world.secret('cosign/key', { 'cosign.key': cosignKey('').pem });
    const others = await pushImage(`${world.registry.host}/others/payments:1`, [], {});
    const digest = others.slice(others.indexOf('@') + 1);
    const report = join(folder, 'report.toml');
    await writeFile(report, `[image]\n  tags = ["${world.registry.host}/others/payments:1"]\n  digest = "${digest}"\n`);
    const answer = await attacked(world, report);
    const signature = `${world.registry.host}/others/payments:sha256-${digest.slice('sha256:'.length)}.sig`;
    expect(await openRegistry().headManifest(parseReference(signature))).toBeUndefined();
    expect(String(answer)).toMatch(/app/);
    await expect(readFile(join(world.root, 'message'))).rejects.toThrow('ENOENT');
  });

  it('completion follows no link of the report to a key, and says nothing of what is in it', async () => {
    await using world = await stepWorld();
    await world.secret('cosign/key', { 'cosign.key': cosignKey('').pem, 'cosign.password': 'secret-words' });
    const report = join(folder, 'report.toml');
    await symlink(join(world.paths.secretsDir, 'cosign/key/cosign.password'), report);
    const said = String(await attacked(world, report));
    expect(said).toContain('report.toml is not a file');
    expect(said).not.toContain('secret-words');
  });

  it.each([
    ['a pipe that nobody writes to', (path: string) => execFileSync('mkfifo', [path])],
    ['a folder', async (path: string) => await mkdir(path)],
    [
      'a file of a gigabyte',
      async (path: string) => {
        await writeFile(path, '');
        await truncate(path, 2 ** 30);
      },
    ],
  ])('completion takes no report that is %s, and does not wait for it', async (_what, make) => {
    await using world = await stepWorld();
    const report = join(folder, 'report.toml');
    await make(report);
    expect(String(await attacked(world, report))).toMatch(/is not a file|is larger than/);
  });

  it('the gate follows no link in place of analyzed.toml', async () => {
    const analyzed = join(folder, 'analyzed.toml');
    await symlink('/etc/passwd', analyzed);
    const context = { log: () => undefined, signal: AbortSignal.timeout(5000) };
    await expect(gate({ mode: 'gate', analyzed, runImage: 'r', given: '' }, context)).rejects.toThrow('is not a file');
  });

  it('the program that waits takes no link, pipe or folder of another step for its signal', async () => {
    for (const make of [
      (path: string) => symlink('/etc/passwd', path),
      (path: string) => Promise.resolve(execFileSync('mkfifo', [path])),
      (path: string) => mkdir(path),
    ]) {
      await using world = await turnWorld(['export', 'completion']);
      await make(world.signal('export', 'done'));
      const given = { after: 'export', step: 'completion' };
      const { code, output } = await world.start(['touch', world.at('ran')], given).ended;
      expect([code, output]).toEqual([46, expect.stringContaining('is not a file')]);
      expect(existsSync(world.at('ran'))).toBe(false);
    }
  });

  it('the program that waits runs nothing that a signal says, nor that a folder of signals is called', async () => {
    await using world = await turnWorld(['export', 'completion', '$(touch ran)', '; touch ran', '-n', '*']);
    await writeFile(world.signal('export', 'done'), '$(touch ran); touch ran');
    const { code } = await world.start(['true'], { after: 'export', step: 'completion' }).ended;
    expect(code).toBe(0);
    await writeFile(world.signal('; touch ran', 'failed'), '');
    const given = { after: 'export', step: '-n' };
    expect((await world.start(['true'], given).ended).output).toBe('another step has errored: ; touch ran\n');
    expect(existsSync('ran')).toBe(false);
  });
});
