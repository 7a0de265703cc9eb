import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { binaryPath } from '../../../infra/local/cluster/binaries.ts';
import { whichProgram } from '../../../infra/local/cluster/packages.ts';
import { PROGRAMS } from '../../../infra/local/cluster/programs.ts';
import { defaultCacheDir } from '../../../infra/local/cluster/state.ts';
import { type ImageSettings, makeImage } from '../../../infra/local/images/image.ts';
import { makeLayer } from '../../../infra/local/images/layer.ts';
import { openRegistry } from '../../../lib/oci/client.ts';
import type { Digest } from '../../../lib/oci/digest.ts';
import { replay } from '../../../lib/oci/http.ts';
import { readImage } from '../../../lib/oci/image.ts';
import { dockerManifestType } from '../../../lib/oci/media-types.ts';
import { rebaseImage } from '../../../lib/oci/rebase.ts';
import { printReference, type TagReference, withTag } from '../../../lib/oci/reference.ts';
import { type GoJson, goJson } from '../../../lib/text/go-json.ts';
import { type RealRegistry, registryPrograms, startRealRegistry } from '../../support/real-registry.ts';
import { someTag } from '../../support/registry-suite.ts';

const run = promisify(execFile);
const [registryProgram = ''] = registryPrograms();
const skopeo = whichProgram('skopeo');
const lifecycle = PROGRAMS.filter(({ name }) => name === 'lifecycle')
  .map((program) => binaryPath(defaultCacheDir(), program))
  .find((path) => existsSync(path));
const noRegistry = registryProgram === '';
if (noRegistry) console.log('skopeo and rebaser are not compared with: no registry program (`npm start` compiles one)');
if (skopeo === undefined) console.log('skopeo is not compared with: it is not installed');
if (lifecycle === undefined) console.log('the rebaser is not compared with: no lifecycle (`npm start` compiles one)');

let real: RealRegistry | undefined;
beforeAll(async () => {
  if (!noRegistry) real = await startRealRegistry(registryProgram, 'open');
});
afterAll(() => real?.close());

const registry = openRegistry();
const newTag = (): TagReference => someTag(real?.host ?? '');

/** Pushes an image whose layers hold one file each, named and filled after `names`; its diffIDs. */
const push = async (
  tag: TagReference,
  names: readonly string[],
  settings: (diffIds: readonly Digest[]) => ImageSettings,
): Promise<readonly Digest[]> => {
  const layers = await Promise.all(names.map((name) => makeLayer([{ path: name, content: name }])));
  const diffIds = layers.map(({ diffId }) => diffId);
  const image = makeImage('any', layers, settings(diffIds));
  for (const { digest, size, blob } of layers) await registry.pushBlob(tag, { digest, size, open: replay(blob).open });
  const config = JSON.parse(Buffer.from(image.manifest).toString()) as { readonly config: { readonly digest: Digest } };
  await registry.pushBlob(tag, { ...replay(image.config), digest: config.config.digest });
  await registry.putManifest(tag, { mediaType: dockerManifestType, bytes: image.manifest });
  return diffIds;
};

const stack = { 'io.buildpacks.stack.id': 'some.stack' };
const appSettings = (diffIds: readonly Digest[]): ImageSettings => ({
  labels: {
    ...stack,
    'io.buildpacks.stack.old': 'gone after a rebase',
    html: '<a>&b',
    // As the lifecycle prints it: map keys sorted as texts, so that 10 comes before 9.
    'io.buildpacks.lifecycle.metadata': goJson({
      app: [{ sha: diffIds.at(-1) }],
      buildpacks: [
        {
          key: 'some/bp',
          version: '1',
          layers: {
            l: {
              sha: diffIds[1],
              data: new Map<string, GoJson>([
                ['10', 'x'],
                ['9', '<y>'],
                ['z', [1, 2.5, true]],
              ]),
              build: false,
              launch: true,
              cache: false,
            },
          },
        },
      ],
      config: { sha: '' },
      launcher: { sha: '' },
      'process-types': { sha: '' },
      runImage: { topLayer: diffIds[0], reference: 'old@sha256:1' },
      stack: { runImage: { image: 'example.com/run', mirrors: ['example.com/mirror'] } },
    }),
  },
  env: ['CNB_PLATFORM_API=0.9', 'A=b'],
  entrypoint: ['/cnb/process/web'],
  user: '1000:1000',
  workingDir: '/workspace',
});

describe.skipIf(noRegistry || skopeo === undefined)('skopeo', () => {
  it('reads and copies an image that our rebase made', async () => {
    const [app, base, copy] = [newTag(), newTag(), newTag()];
    await push(app, ['base', 'buildpack', 'app'], appSettings);
    await push(base, ['new base'], () => ({ labels: stack }));
    const { image } = await rebaseImage(
      { tags: registry, app: registry, runImage: registry },
      { app, runImage: base, tags: [app] },
    );
    const { stdout } = await run(skopeo ?? '', ['inspect', '--tls-verify=false', `docker://${printReference(app)}`]);
    const seen = JSON.parse(stdout) as {
      readonly Digest: string;
      readonly Layers: readonly string[];
      readonly Env: readonly string[];
    };
    expect(seen.Digest).toBe(image.digest);
    expect(seen.Layers).toEqual((await readImage(registry, app)).layers.map(({ digest }) => digest));
    expect(seen.Env).toContain('A=b');
    const insecure = ['--src-tls-verify=false', '--dest-tls-verify=false'];
    await run(skopeo ?? '', [
      '--insecure-policy',
      'copy',
      ...insecure,
      `docker://${printReference(app)}`,
      `docker://${printReference(copy)}`,
    ]);
    expect((await registry.headManifest(copy))?.digest).toBe(image.digest);
  });
});

describe.skipIf(noRegistry || lifecycle === undefined)('the lifecycle’s rebaser', () => {
  it('makes the same image as our rebase', async () => {
    const [app, base] = [newTag(), newTag()];
    await push(app, ['base', 'buildpack', 'app'], appSettings);
    await push(base, ['new base', 'and more'], () => ({
      labels: { ...stack, 'io.buildpacks.stack.new': 'taken', other: 'not taken' },
      env: ['NOT=taken'],
    }));
    const ours = withTag(app, 'ours');
    const { image } = await rebaseImage(
      { tags: registry, app: registry, runImage: registry },
      { app, runImage: base, tags: [ours] },
    );

    const folder = await mkdtemp(join(tmpdir(), 'kpackless-rebaser-'));
    try {
      const rebaser = join(folder, 'rebaser');
      await symlink(lifecycle ?? '', rebaser);
      const args = ['-run-image', printReference(base), '-report', join(folder, 'report.toml'), printReference(app)];
      await run(rebaser, args, { env: { CNB_PLATFORM_API: '0.9', HOME: folder } });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    const [theirs, mine] = [await readImage(registry, app), await readImage(registry, ours)];
    expect(mine.config).toEqual(theirs.config);
    expect(mine.manifest).toEqual(theirs.manifest);
    expect(image.digest).toBe(theirs.reference.digest);
  });
});

describe.skipIf(noRegistry || lifecycle === undefined)('a run image whose last layer occurs twice', () => {
  it('is left behind whole by our rebase, where the lifecycle’s rebaser keeps half of it', async () => {
    const [app, base] = [newTag(), newTag()];
    const settings = (diffIds: readonly Digest[]): ImageSettings => ({
      ...appSettings(diffIds),
      labels: {
        ...stack,
        'io.buildpacks.lifecycle.metadata': goJson({
          app: [{ sha: diffIds[4] }],
          buildpacks: [{ key: 'some/bp', version: '1', layers: { l: { sha: diffIds[3], launch: true } } }],
          runImage: { topLayer: diffIds[2], reference: 'old@sha256:1' },
        }),
      },
    });
    const names = ['old system', 'nothing', 'nothing', 'buildpack', 'app'];
    const own = (await push(app, names, settings)).slice(3);
    const fresh = await push(base, ['new system'], () => ({ labels: stack }));
    const ours = withTag(app, 'ours');
    await rebaseImage({ tags: registry, app: registry, runImage: registry }, { app, runImage: base, tags: [ours] });
    expect((await readImage(registry, ours)).diffIds).toEqual([...fresh, ...own]);

    const folder = await mkdtemp(join(tmpdir(), 'kpackless-rebaser-'));
    try {
      const rebaser = join(folder, 'rebaser');
      await symlink(lifecycle ?? '', rebaser);
      const args = ['-run-image', printReference(base), '-report', join(folder, 'report.toml'), printReference(app)];
      await run(rebaser, args, { env: { CNB_PLATFORM_API: '0.9', HOME: folder } });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    expect((await readImage(registry, app)).diffIds).toHaveLength(fresh.length + own.length + 1);
  });
});
