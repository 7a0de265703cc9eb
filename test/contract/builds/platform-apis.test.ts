/** The pod's own commands, run with the real lifecycle in a builder's file system, for every platform API that the lifecycle offers. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Container } from 'kubernetes-types/core/v1.d.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { binaryPath } from '../../../infra/local/cluster/binaries.ts';
import { PROGRAMS, type ProgramName } from '../../../infra/local/cluster/programs.ts';
import { defaultCacheDir } from '../../../infra/local/cluster/state.ts';
import { SAMPLE_BUILDPACK_ID, sampleBuildpackage } from '../../../infra/local/images/buildpackage.ts';
import { type Layer, layerTar } from '../../../infra/local/images/layer.ts';
import { lifecycleImage } from '../../../infra/local/images/lifecycle.ts';
import { pushImage } from '../../../infra/local/images/push.ts';
import { buildImage, CNB_USER, runImage, SAMPLE_STACK_ID } from '../../../infra/local/images/stack.ts';
import { metadataFromImage } from '../../../lib/builds/metadata-from-image.ts';
import { buildPod } from '../../../lib/builds/pod/build-pod.ts';
import { openRegistry } from '../../../lib/oci/client.ts';
import { readImage } from '../../../lib/oci/image.ts';
import { parseReference } from '../../../lib/oci/reference.ts';
import { readReport } from '../../../lib/steps/completion/report.ts';
import { type RealRegistry, registryPrograms, startRealRegistry } from '../../support/real-registry.ts';
import { buildB, contextB, stepsOf } from '../../unit/builds/base-build.ts';

const compiled = (name: ProgramName): string => {
  const program = PROGRAMS.find((one) => one.name === name);
  return program === undefined ? '' : binaryPath(defaultCacheDir(), program);
};
const binaries = { lifecycle: compiled('lifecycle'), launcher: compiled('launcher') };
const [registryProgram] = registryPrograms();
const missing = [
  ...(existsSync(binaries.lifecycle) && registryProgram !== undefined
    ? []
    : ['no compiled lifecycle: npm start makes it']),
  ...(process.getuid?.() === 0 ? [] : ['chroot needs root']),
].join(', ');
if (missing !== '') console.log(`platform APIs skipped: ${missing}`);

/** All that lifecycle 0.21 offers; the last test sees to it that there is none more. */
const platformApis = ['0.7', '0.8', '0.9', '0.10', '0.11', '0.12', '0.13', '0.14', '0.15'];
const phases = ['analyze', 'detect', 'restore', 'build', 'export'];

describe.skipIf(missing !== '')(`the lifecycle, as the pod starts it${missing && ` (skipped: ${missing})`}`, () => {
  let registry: RealRegistry;
  let run: string;
  let root: string;

  const unpack = (layer: Layer): void => {
    execFileSync('tar', ['-x', '-p', '-C', root], { input: layerTar(layer) });
  };

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'kpackless-builder-'));
    await chmod(root, 0o755);
    registry = await startRealRegistry(registryProgram ?? '', 'open');
    const runs = await runImage({ name: 'run:1' });
    run = await pushImage(registry.host, runs);
    const images = [
      await buildImage({ name: 'build:1' }),
      await lifecycleImage({ name: 'lifecycle:1', binaries }),
      await sampleBuildpackage({ name: 'buildpack:1', version: '1.0.0' }),
    ];
    for (const { layers } of images) for (const layer of layers) unpack(layer);
    await writeFile(
      join(root, 'cnb/order.toml'),
      `[[order]]\n[[order.group]]\nid = "${SAMPLE_BUILDPACK_ID}"\nversion = "1.0.0"\n`,
    );
    await writeFile(join(root, 'cnb/stack.toml'), `[run-image]\nimage = "${registry.host}/run:1"\n`);
    await writeFile(join(root, 'cnb/run.toml'), `[[images]]\nimage = "${registry.host}/run:1"\n`);
    await mkdir(join(root, 'dev'));
    execFileSync('mknod', ['-m', '666', join(root, 'dev/null'), 'c', '1', '3']);
  });
  afterAll(async () => {
    await registry?.close();
    await rm(root, { recursive: true, force: true });
  });

  /** The volumes of a new pod; the cache stays from build to build. */
  const newVolumes = async (): Promise<void> => {
    const folders = 'layers analyzed projectMetadata workspace platform/env builder/home var/report cache';
    for (const folder of folders.split(' ')) {
      const [top = ''] = folder.split('/');
      if (folder !== 'cache') await rm(join(root, top), { recursive: true, force: true });
      await mkdir(join(root, folder), { recursive: true });
      await chown(join(root, folder), CNB_USER, CNB_USER);
    }
    await writeFile(join(root, 'workspace/index.html'), 'hello');
    await writeFile(join(root, 'projectMetadata/project-metadata.toml'), '[source]\n  type = "git"\n');
  };

  const start = ({ command = [], args = [], env = [] }: Container) => {
    const variables = env.map(({ name, value = '' }) => `${name}=${value}`);
    const user = `--userspec=${CNB_USER}:${CNB_USER}`;
    const stack = [`CNB_USER_ID=${CNB_USER}`, `CNB_GROUP_ID=${CNB_USER}`, `CNB_STACK_ID=${SAMPLE_STACK_ID}`];
    const builder = ['-i', 'PATH=/usr/bin:/bin', ...stack, ...variables];
    // `env` of the host sets what the chroot then hands on.
    const { status, stdout, stderr } = spawnSync(
      'env',
      [...builder, '/usr/sbin/chroot', user, root, ...command, ...args],
      {
        encoding: 'utf8',
        timeout: 60_000,
      },
    );
    return { status, said: `${stdout}${stderr}` };
  };

  const podFor = (api: string, lastImage?: string) => {
    const app = `${registry.host}/apps/v${api.replace('.', '-')}`;
    const lastBuild = lastImage === undefined ? undefined : { image: lastImage, stackId: SAMPLE_STACK_ID };
    return buildPod(
      buildB({
        tags: [app, `${app}:b1`],
        runImage: { image: run },
        lastBuild,
        defaultProcess: 'greet',
        creationTime: '1700000000',
      }),
      contextB({ builder: { platformApis: [api] }, secrets: [], pullSecrets: [] }),
    );
  };

  const built = async (api: string, lastImage?: string) => {
    await newVolumes();
    const pod = podFor(api, lastImage);
    let said = '';
    for (const phase of stepsOf(pod).filter(({ name }) => phases.includes(name))) {
      const ended = start(phase);
      expect(ended, `${phase.name} with platform API ${api}`).toMatchObject({ status: 0 });
      said += ended.said;
    }
    const { tags, digest } = await readReport(join(root, 'var/report/report.toml'));
    return { image: `${parseReference(tags[0]).registry}/apps/v${api.replace('.', '-')}@${digest}`, tags, said };
  };

  it.each(platformApis)('builds with platform API %s, and again from its cache', async (api) => {
    await rm(join(root, 'cache'), { recursive: true, force: true });
    const first = await built(api);
    expect(first.tags).toHaveLength(2);
    expect(first.said).toContain('filling the cached layer');
    const { labels, reference } = await readImage(openRegistry({}), parseReference(first.image), {});
    expect(metadataFromImage(labels, { latestImage: first.image, latestCacheImage: '' })).toStrictEqual({
      latestImage: first.image,
      latestCacheImage: '',
      stackId: SAMPLE_STACK_ID,
      stackRunImage: run,
      lifecycleVersion: '0.21.0',
      buildpacks: [{ id: SAMPLE_BUILDPACK_ID, version: '1.0.0', homepage: 'https://kpackless.dev/sample' }],
    });
    const again = await built(api, first.image);
    expect(again.said).toContain('reusing the cached layer');
    expect(again.said).toMatch(/Reusing layer|Reusing 1\/1 app layer/);
    expect(again.image).toContain(reference.digest);
  });

  it('knows no newer one, so that none is missing above', async () => {
    await newVolumes();
    const [analyze] = stepsOf(podFor('0.15')).filter(({ name }) => name === 'analyze');
    const env = [{ name: 'CNB_PLATFORM_API', value: '0.16' }];
    const { status, said } = start({ ...analyze, name: 'analyze', env });
    expect({ status, said }).toMatchObject({ status: 11, said: expect.stringContaining('0.16') as string });
    expect(await readFile(join(root, 'cnb/order.toml'), 'utf8')).toContain(SAMPLE_BUILDPACK_ID);
  });
});
