/** A build pod's folders in a temporary directory, and a registry that lets `prepare` through: steps run in process against them. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openRegistry } from '../../lib/oci/client.ts';
import { digestOf } from '../../lib/oci/digest.ts';
import { ociConfigType, ociManifestType } from '../../lib/oci/media-types.ts';
import { parseReference, repositoryOf } from '../../lib/oci/reference.ts';
import type { PreparePaths } from '../../lib/steps/prepare/prepare.ts';
import { prepare } from '../../lib/steps/prepare/prepare.ts';
import type { StepProcess } from '../../lib/steps/step.ts';
import { type FakeRegistry, startFakeRegistry } from './fake-registry.ts';

export interface StepWorld extends AsyncDisposable {
  readonly root: string;
  readonly paths: PreparePaths;
  readonly registry: FakeRegistry;
  /** Variables every prepare container has. */
  readonly env: Readonly<Record<string, string>>;
  readonly log: readonly string[];
  readonly step: (args: readonly string[], env: Readonly<Record<string, string>>) => StepProcess;
  /** Runs prepare with the world's variables and these. */
  readonly prepare: (env: Readonly<Record<string, string>>, args?: readonly string[]) => Promise<void>;
  /** A mounted Secret. */
  readonly secret: (name: string, data: Readonly<Record<string, string>>) => Promise<void>;
  /** Content of a file below the workspace, or undefined. */
  readonly read: (path: string) => Promise<string | undefined>;
  /** Files of the workspace, sorted, without `.git`. */
  readonly files: () => Promise<readonly string[]>;
  readonly metadata: () => Promise<string>;
  /** What the kubelet would find as the step's termination message; empty when it wrote none. */
  readonly terminationMessage: () => Promise<string>;
}

/** Pushes an image of the given layers (uncompressed or gzip'd tars) and answers its name. */
export const pushImage = async (
  name: string,
  layers: readonly Uint8Array[],
  labels: Readonly<Record<string, string>> = {},
): Promise<string> => {
  const registry = openRegistry();
  const reference = parseReference(name);
  const push = async (content: Uint8Array, mediaType: string): Promise<Readonly<Record<string, unknown>>> => {
    const blob = { digest: digestOf(content), size: content.byteLength };
    await registry.pushBlob(repositoryOf(reference), {
      ...blob,
      open: async function* () {
        yield await Promise.resolve(content);
      },
    });
    return { mediaType, ...blob };
  };
  const diffIds = layers.map((layer) => digestOf(layer));
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    config: { Labels: labels },
    rootfs: { type: 'layers', diff_ids: diffIds },
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: ociManifestType,
    config: await push(new TextEncoder().encode(config), ociConfigType),
    layers: await Promise.all(layers.map((layer) => push(layer, 'application/vnd.oci.image.layer.v1.tar'))),
  };
  const bytes = new TextEncoder().encode(JSON.stringify(manifest));
  const digest = await registry.putManifest(reference, { mediaType: ociManifestType, bytes });
  return `${reference.registry}/${reference.path}@${digest}`;
};

/** A fresh world; everything is gone after its dispose. */
export const stepWorld = async (): Promise<StepWorld> => {
  const root = await mkdtemp(join(tmpdir(), 'kpackless-step-'));
  const registry = await startFakeRegistry();
  await pushImage(`${registry.host}/run:base`, []);
  const paths: PreparePaths = {
    workspace: join(root, 'workspace'),
    secretsDir: join(root, 'secrets'),
    platformDir: join(root, 'platform'),
    metadataDir: join(root, 'layers'),
    registrySecretsDir: join(root, 'registry-secrets'),
    dockerConfig: join(root, 'home/.docker/config.json'),
    terminationMessage: join(root, 'termination-log'),
  };
  await mkdir(paths.workspace);
  const log: string[] = [];
  const env = { IMAGE_TAG: `${registry.host}/app:1`, RUN_IMAGE: `${registry.host}/run:base`, HOME: join(root, 'home') };
  const step = (args: readonly string[], more: Readonly<Record<string, string>>): StepProcess => ({
    args,
    env: { ...env, ...more },
    log: (line) => void log.push(line),
    signal: new AbortController().signal,
  });
  return {
    root,
    paths,
    registry,
    env,
    log,
    step,
    prepare: (more, args = []) => prepare(step(args, more), paths),
    secret: async (name, data) => {
      for (const [key, value] of Object.entries(data)) {
        const file = join(paths.secretsDir, name, key);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, value);
      }
    },
    read: (path) => readFile(join(paths.workspace, path), 'utf8').catch(() => undefined),
    files: async () => {
      const entries = await readdir(paths.workspace, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => !entry.isDirectory())
        .map((entry) => join(entry.parentPath, entry.name).slice(paths.workspace.length + 1))
        .filter((path) => !path.startsWith('.git/'))
        .sort();
    },
    metadata: () => readFile(join(paths.metadataDir, 'project-metadata.toml'), 'utf8'),
    terminationMessage: () => readFile(paths.terminationMessage, 'utf8').catch(() => ''),
    [Symbol.asyncDispose]: async () => {
      await registry.close();
      await rm(root, { recursive: true, force: true });
    },
  };
};
