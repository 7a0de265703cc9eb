/** The image of the relay, without Docker: the layer with Node that the step image has, and the relay's bundle. */
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleOne } from '../bundle.ts';
import { type BuildStepImageOptions, buildStepImage, type StepImage, stepImageCacheDir } from '../step-image/build.ts';
import { writeLayer } from '../step-image/layer.ts';

const created = '1980-01-01T00:00:01Z';
const program = 'kpackless/main.mjs';

/**
 * What keeps it small (`npm run bench -- --only relay`): a young generation of 1 MiB, since what an event leaves behind is garbage at once;
 * a heap that grows reluctantly; one arena for all threads. Without them Node takes half as much again. The limit of the heap is far
 * above what is needed and below the Deployment's.
 */
export const nodeFlags: readonly string[] = [
  '--max-old-space-size=64',
  '--max-semi-space-size=1',
  '--optimize-for-size',
];
export const nodeEnvironment: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: '1' };

/** The same sources give the same bytes. @throws PermanentError as buildStepImage does */
export const buildRelayImage = async (options: BuildStepImageOptions = {}): Promise<StepImage> => {
  const cacheDir = options.cacheDir ?? stepImageCacheDir();
  const steps = await buildStepImage({ ...options, cacheDir });
  const [node] = steps.layers;
  if (node === undefined) throw new Error('the step image has no layer with Node');
  const bundle = await bundleOne(
    'relay',
    join('functions', 'relay', 'main.ts'),
    join(cacheDir, `relay-${process.pid}`),
  );
  const written = await writeLayer(join(cacheDir, `relay.${process.pid}.tar.gz`), [
    { path: 'kpackless', kind: 'directory' },
    { path: program, kind: 'file', content: await readFile(bundle.path, 'utf8') },
  ]);
  const path = join(cacheDir, `relay-${written.digest.slice(7, 31)}.tar.gz`);
  await rename(written.path, path);
  const layers = [node, { ...written, path }];
  const { config } = steps.config;
  return {
    layers,
    config: {
      ...steps.config,
      config: {
        ...config,
        Env: [
          ...config.Env.filter((variable) => !variable.startsWith('GIT_')),
          ...Object.entries(nodeEnvironment).map(([name, value]) => `${name}=${value}`),
        ],
        Entrypoint: ['/usr/bin/node', ...nodeFlags, `/${program}`],
        WorkingDir: '/',
        Labels: {},
      },
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      history: ['node, libraries, certificates', 'relay'].map((name) => ({ created, created_by: name })),
    },
  };
};
