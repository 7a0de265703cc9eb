/** Who the build is at registries, and whether that suffices: asked before the source counts for anything (spec 03 §10.1). */
import { join } from 'node:path';
import type { RegistryOptions } from '../../oci/api.ts';
import { firstOf } from '../../oci/keychain.ts';
import { createSession } from '../../oci/session.ts';
import {
  appended,
  credentialsFromFlags,
  credentialsInFolder,
  type DockerCredentials,
  keychainOf,
} from '../docker-credentials.ts';
import { nodeKeychain } from '../node-keychain.ts';
import type { StepProcess } from '../step.ts';
import type { PrepareOptions } from './options.ts';
import { verifyReadAccess, verifyWriteAccess } from './registry-access.ts';

/** Credentials of Secrets, and how registries are asked with them. */
export interface RegistryLogins {
  readonly credentials: DockerCredentials;
  readonly registry: RegistryOptions;
}

/** Loads the credentials and checks them on the image's tag and the run image. @throws PermanentError for what they do not allow */
export async function checkedLogins(
  options: PrepareOptions,
  secretsDir: string,
  { env, log, signal }: StepProcess,
): Promise<RegistryLogins> {
  const secrets = await loadSecrets(options, secretsDir, log);
  log('Loading cluster credential helpers');
  const node = await nodeKeychain(env);
  const session = createSession();
  const registry = (credentials: DockerCredentials): RegistryOptions => ({
    keychain: firstOf(keychainOf(credentials), node),
    session,
  });
  const credentials = await withPullSecrets(secrets, options.imagePull, { secretsDir, log });
  // Pull secrets are for reading: they do not count for the write check.
  const checks = await Promise.allSettled([
    verifyWriteAccess(options.imageTag, registry(secrets), signal),
    verifyReadAccess(options.runImage, registry(credentials), signal),
  ]);
  for (const check of checks) if (check.status === 'rejected') throw check.reason;
  return { credentials, registry: registry(credentials) };
}

async function loadSecrets(
  { dockerSecrets }: PrepareOptions,
  secretsDir: string,
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
  { secretsDir, log }: { readonly secretsDir: string; readonly log: (line: string) => void },
): Promise<DockerCredentials> {
  let all = base;
  for (const name of names) all = appended(all, await credentialsInFolder(join(secretsDir, name), log));
  return all;
}

/** The way to a source that is an image: its own pull secrets, then everything else. */
export async function sourceLogins(
  { registry }: RegistryLogins,
  registrySecretsDir: string,
  log: (line: string) => void,
): Promise<RegistryOptions> {
  const own = keychainOf(await credentialsInFolder(registrySecretsDir, log));
  return { ...registry, keychain: registry.keychain === undefined ? own : firstOf(own, registry.keychain) };
}
