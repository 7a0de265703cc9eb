/** The image of a program of ours that runs for long, without Docker: the layer with Node that the step image has, and the program's bundle. */
import { readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bundleOne } from './bundle.ts';
import { type BuildStepImageOptions, buildStepImage, type StepImage, stepImageCacheDir } from './step-image/build.ts';
import { writeLayer } from './step-image/layer.ts';

const created = '1980-01-01T00:00:01Z';
const program = 'kpackless/main.mjs';

/** How Node is started. */
export interface NodeStart {
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** What the image runs. */
export interface ProgramImage {
  readonly name: string;
  /** Its main.ts, from the root of the project. */
  readonly entry: string;
  readonly node: NodeStart;
  /** Settings that hold in a container. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** The same sources give the same bytes. @throws PermanentError as buildStepImage does */
export const buildProgramImage = async (
  { name, entry, node, environment = {} }: ProgramImage,
  options: BuildStepImageOptions = {},
): Promise<StepImage> => {
  const cacheDir = options.cacheDir ?? stepImageCacheDir();
  const steps = await buildStepImage({ ...options, cacheDir });
  const [nodeLayer] = steps.layers;
  if (nodeLayer === undefined) throw new Error('the step image has no layer with Node');
  const folder = join(cacheDir, `${name}-${process.pid}`);
  const bundle = await bundleOne(name, entry, folder);
  const written = await writeLayer(join(cacheDir, `${name}.${process.pid}.tar.gz`), [
    { path: dirname(program), kind: 'directory' },
    { path: program, kind: 'file', content: await readFile(bundle.path, 'utf8') },
  ]);
  await rm(folder, { recursive: true });
  const path = join(cacheDir, `${name}-${written.digest.slice(7, 31)}.tar.gz`);
  await rename(written.path, path);
  const layers = [nodeLayer, { ...written, path }];
  const { config } = steps.config;
  return {
    layers,
    config: {
      ...steps.config,
      config: {
        ...config,
        Env: [
          ...config.Env.filter((variable) => !variable.startsWith('GIT_')),
          ...Object.entries({ ...node.environment, ...environment }).map(([name, value]) => `${name}=${value}`),
        ],
        Entrypoint: ['/usr/bin/node', ...node.flags, `/${program}`],
        WorkingDir: '/',
        Labels: {},
      },
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      history: ['node, libraries, certificates', name].map((layer) => ({ created, created_by: layer })),
    },
  };
};
