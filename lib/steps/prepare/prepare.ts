/** First step of a build pod: checks access, fetches the source, and lays out what the lifecycle reads (spec 03 §10.1). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PermanentError } from '../../errors/expected.ts';
import type { RegistryOptions } from '../../oci/api.ts';
import { firstOf } from '../../oci/keychain.ts';
import { createSession } from '../../oci/session.ts';
import { buildChangeLines } from '../build-changes.ts';
import {
  appended,
  credentialsFromFlags,
  credentialsInFolder,
  type DockerCredentials,
  keychainOf,
  saveDockerConfig,
} from '../docker-credentials.ts';
import { nodeKeychain } from '../node-keychain.ts';
import type { StepProcess } from '../step.ts';
import { type BlobHelper, fetchBlob } from './blob-source.ts';
import { applyFilter } from './descriptor-filter.ts';
import { fetchGit } from './git-source.ts';
import { insidePath } from './inside.ts';
import { type PrepareOptions, prepareOptions } from './options.ts';
import { platformEnvironment, writePlatformEnvironment } from './platform-env.ts';
import { readProjectDescriptor } from './project-descriptor.ts';
import { verifyReadAccess, verifyWriteAccess } from './registry-access.ts';
import { fetchRegistryImage } from './registry-source.ts';

/** Where the pod mounts things (spec 03 §5). */
export interface PreparePaths {
  readonly workspace: string;
  readonly secretsDir: string;
  readonly platformDir: string;
  readonly metadataDir: string;
  readonly registrySecretsDir: string;
  readonly dockerConfig: string;
}

const podPaths: PreparePaths = {
  workspace: '/workspace',
  secretsDir: '/var/build-secrets',
  platformDir: '/platform',
  metadataDir: '/projectMetadata',
  registrySecretsDir: '/registrySourcePullSecrets',
  dockerConfig: '/builder/home/.docker/config.json',
};

/** @throws UsageError, PermanentError, ExpectedError: one sentence for the log each. */
export async function prepare(step: StepProcess, paths: PreparePaths = podPaths): Promise<void> {
  const { env, log, signal } = step;
  const options = prepareOptions(step);
  for (const line of buildChangeLines(options.buildChanges)) log(line);

  const secrets = await loadSecrets(options, paths, log);
  log('Loading cluster credential helpers');
  const node = await nodeKeychain(env);
  const session = createSession();
  const registry = (credentials: DockerCredentials): RegistryOptions => ({
    keychain: firstOf(keychainOf(credentials), node),
    session,
  });
  const credentials = await withPullSecrets(secrets, options.imagePull, paths);
  // Pull secrets are for reading: they do not count for the write check.
  const checks = await Promise.allSettled([
    verifyWriteAccess(options.imageTag, registry(secrets), signal),
    verifyReadAccess(options.runImage, registry(credentials), signal),
  ]);
  for (const check of checks) if (check.status === 'rejected') throw check.reason;

  await fetchSource(options, paths, step, registry(credentials));
  await applyDescriptor(options, paths, log);
  const { image, name, kind } = options.builder;
  if (image !== '' && name !== '' && kind !== '') log(`Builder:\n Image: ${image} \n Name: ${name} \n Kind: ${kind} `);
  await writePlatformEnvironment(paths.platformDir, platformEnvironment(env));
  await saveDockerConfig(paths.dockerConfig, credentials);
}

async function loadSecrets(
  { dockerSecrets }: PrepareOptions,
  { secretsDir }: PreparePaths,
  log: (line: string) => void,
): Promise<DockerCredentials> {
  log('Loading registry credentials from service account secrets');
  const credentials = await credentialsFromFlags(dockerSecrets, secretsDir, log);
  if (credentials.size === 0) log('No registry credentials were loaded from service account secrets');
  return credentials;
}

async function withPullSecrets(
  base: DockerCredentials,
  names: readonly string[],
  { secretsDir }: PreparePaths,
): Promise<DockerCredentials> {
  let all = base;
  for (const name of names) all = appended(all, await credentialsInFolder(join(secretsDir, name)));
  return all;
}

async function fetchSource(
  { source }: PrepareOptions,
  paths: PreparePaths,
  { log, signal }: StepProcess,
  registry: RegistryOptions,
): Promise<void> {
  if (source === undefined) throw new PermanentError('', 'no git url, blob url, or registry image provided');
  const scratch = await mkdtemp(join(tmpdir(), 'prepare-'));
  const context = { ...paths, scratch, log, signal };
  try {
    switch (source.kind) {
      case 'git':
        await fetchGit(source, context);
        break;
      case 'blob':
        await fetchBlob(source, context, { helper: cloudHelper });
        break;
      case 'registry': {
        const own = keychainOf(await credentialsInFolder(paths.registrySecretsDir));
        const keychain = registry.keychain === undefined ? own : firstOf(own, registry.keychain);
        await fetchRegistryImage(source.image, context, { ...registry, keychain });
        break;
      }
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Loaded on first use: signing costs memory that no other source needs. */
const cloudHelper: BlobHelper = async (url, signal) => (await import('./s3-helper.ts')).s3Helper(url, signal);

async function applyDescriptor(
  { sourceSubPath, projectDescriptorPath }: PrepareOptions,
  { workspace, platformDir }: PreparePaths,
  log: (line: string) => void,
): Promise<void> {
  try {
    const appDir = await insidePath(workspace, sourceSubPath, 'source subPath');
    if (appDir === undefined) {
      throw new PermanentError('', `the source has no folder ${JSON.stringify(sourceSubPath)} (spec.source.subPath)`);
    }
    const { filter, environment, notes } = await readProjectDescriptor(appDir, projectDescriptorPath);
    for (const note of notes) log(note);
    if (filter !== undefined) await applyFilter(appDir, filter);
    await writePlatformEnvironment(platformDir, environment);
  } catch (error) {
    if (!(error instanceof PermanentError)) throw error;
    throw new PermanentError(error.reason, `error while processing the project descriptor: ${error.message}`, {
      cause: error,
    });
  }
}
