/** Builds the one image of all step programs without Docker: three layers, of which only the last changes with our code (spec 08). */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PermanentError } from '../../lib/errors/expected.ts';
import { type Architecture, ownArchitecture } from './architecture.ts';
import {
  type Report,
  type Resolution,
  type ResolvedPackage,
  resolvePackages,
  sha256Of,
  unpackPackages,
} from './debian.ts';
import { gitLayer } from './git-layer.ts';
import { type BuiltLayer, writeLayer } from './layer.ts';
import { type NodeBinary, nodeBinary } from './node-binary.ts';
import { nodeLayer, stepUser } from './node-layer.ts';
import { programLayer, stepPrograms } from './program-layer.ts';

export interface StepImage {
  /** OCI image configuration, to be serialised with `JSON.stringify`. */
  readonly config: StepImageConfig;
  /** Lowest first. */
  readonly layers: readonly BuiltLayer[];
}

interface StepImageConfig {
  readonly created: string;
  readonly architecture: Architecture;
  readonly os: 'linux';
  readonly config: {
    readonly User: string;
    readonly Env: readonly string[];
    readonly Entrypoint: readonly string[];
    readonly WorkingDir: string;
    readonly Labels: Readonly<Record<string, string>>;
  };
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly string[] };
  readonly history: readonly { readonly created: string; readonly created_by: string }[];
}

export interface BuildStepImageOptions {
  /** For which processor; default this machine's. Another costs some 70 MB of downloads, once. */
  readonly architecture?: Architecture;
  /** Where layers and packages are kept between runs; default `stepImageCacheDir()`. */
  readonly cacheDir?: string;
  /** Told what is being done, one short line each. */
  readonly report?: Report;
}

/** Raise when the content of L1 or L2 changes for other reasons than its packages. */
const recipe = 3;
const created = '1980-01-01T00:00:01Z';
const root = fileURLToPath(new URL('../..', import.meta.url));

/** `$XDG_CACHE_HOME|~/.cache`/kpackless/step-image. */
export function stepImageCacheDir(env: NodeJS.ProcessEnv = process.env): string {
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'kpackless', 'step-image');
}

/**
 * The same inputs give the same bytes. L1 and L2 come from the cache when the resolved packages, the Node binary and the recipe are as
 * before; the machine's mirror is then asked nothing.
 * @throws PermanentError a sentence naming the missing tool, package or library.
 */
export async function buildStepImage({
  cacheDir = stepImageCacheDir(),
  report = () => undefined,
  architecture = ownArchitecture(),
}: BuildStepImageOptions = {}): Promise<StepImage> {
  await mkdir(cacheDir, { recursive: true });
  const node = await nodeBinary(root, architecture);
  const { packages, base } = await baseLayers({ cacheDir, node, report, architecture });
  const programs = await writeLayer(join(cacheDir, `programs.${process.pid}.tar.gz`), await programLayer(root));
  const own = join(cacheDir, `programs-${programs.digest.slice(7, 31)}.tar.gz`);
  await rename(programs.path, own);
  await forgetOldPrograms(cacheDir, own);
  const layers = [...base, { ...programs, path: own }];
  return { config: configOf(architecture, layers, packages), layers };
}

/** Every change of the code leaves a layer behind; one that another process may be pushing right now is younger than this. */
const keptMilliseconds = 3_600_000;

async function forgetOldPrograms(cacheDir: string, own: string): Promise<void> {
  const layers = (await readdir(cacheDir)).filter((name) => /^programs[-.].*\.(?:gz|partial)$/.test(name));
  for (const path of layers.map((name) => join(cacheDir, name))) {
    const stats = path === own ? undefined : await stat(path).catch(() => undefined);
    if (stats !== undefined && Date.now() - stats.mtimeMs > keptMilliseconds) await rm(path, { force: true });
  }
}

interface Base {
  readonly packages: readonly ResolvedPackage[];
  readonly base: readonly BuiltLayer[];
}

/** Lists older than the mirror name packages that are gone: then once more with fresh ones. */
async function baseLayers(inputs: BaseInputs): Promise<Base> {
  const { cacheDir, report, architecture } = inputs;
  try {
    return await baseFrom(await resolvePackages(cacheDir, report, architecture), inputs);
  } catch (error) {
    if (!(error instanceof PermanentError) || error.reason !== 'ToolFailed') throw error;
    return await baseFrom(await resolvePackages(cacheDir, report, architecture, { fresh: true }), inputs);
  }
}

interface BaseInputs {
  readonly cacheDir: string;
  readonly node: NodeBinary;
  readonly report: Report;
  readonly architecture: Architecture;
}

async function baseFrom(resolution: Resolution, inputs: BaseInputs): Promise<Base> {
  const { packages } = resolution;
  const text = JSON.stringify([recipe, inputs.architecture, inputs.node.version, packages]);
  const key = createHash('sha256').update(text).digest('hex').slice(0, 24);
  return { packages, base: (await cachedBase(inputs.cacheDir, key)) ?? (await buildBase(resolution, key, inputs)) };
}

async function buildBase(
  resolution: Resolution,
  key: string,
  { cacheDir, node, report, architecture }: BaseInputs,
): Promise<readonly BuiltLayer[]> {
  const scratch = await mkdtemp(join(cacheDir, 'scratch-'));
  try {
    report(`downloading and unpacking ${resolution.packages.length} Debian packages for ${architecture} (20 MB)`);
    const folders = await unpackPackages(resolution, { cacheDir, into: scratch });
    report('writing the layers with Node and git (about 15 s, once)');
    const l1 = await nodeLayer(await node.path(scratch, report), folders, scratch, architecture);
    const layers = [
      await writeLayer(join(cacheDir, `node-${key}.tar.gz`), l1.entries),
      await writeLayer(join(cacheDir, `git-${key}.tar.gz`), await gitLayer(folders, l1.sonames, architecture)),
    ];
    await writeFile(join(cacheDir, `base-${key}.json`), JSON.stringify(layers));
    return layers;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Layers of an earlier run; a file that is missing, was cut short or changed makes them be built again. */
async function cachedBase(cacheDir: string, key: string): Promise<readonly BuiltLayer[] | undefined> {
  try {
    const layers = JSON.parse(await readFile(join(cacheDir, `base-${key}.json`), 'utf8')) as readonly BuiltLayer[];
    for (const { path, digest } of layers) if (`sha256:${await sha256Of(path)}` !== digest) return undefined;
    return layers;
  } catch {
    return undefined;
  }
}

function configOf(
  architecture: Architecture,
  layers: readonly BuiltLayer[],
  packages: readonly ResolvedPackage[],
): StepImageConfig {
  const names = [
    'node, libraries, certificates',
    'git for https and ssh, busybox',
    `programs ${Object.values(stepPrograms).join(', ')}`,
  ];
  return {
    created,
    architecture,
    os: 'linux',
    config: {
      User: `${stepUser}:${stepUser}`,
      Env: ['PATH=/usr/bin', 'HOME=/tmp', 'SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt'],
      // Every container of ours names its command.
      Entrypoint: ['/cnb/process/build-waiter'],
      WorkingDir: '/workspace',
      Labels: { 'kpackless.packages': packages.map(({ name, version }) => `${name}=${version}`).join(' ') },
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: names.map((name) => ({ created, created_by: name })),
  };
}
