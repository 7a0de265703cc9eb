/** Registry credentials mounted into the build pod, matched and merged as kpack does (spec 03 §16.1, §16.2). */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PermanentError } from '../errors/expected.ts';
import { usable } from '../oci/credentials.ts';
import {
  DockerConfigError,
  type DockerLogin,
  type KnownLogin,
  parseDockerCfg,
  parseDockerConfigJson,
} from '../oci/docker-config.ts';
import type { Authorization, Keychain } from '../oci/keychain.ts';
import { bareKey, boundToScheme, coversRepository, exactKeys } from '../oci/registry-keys.ts';
import { basicLoginIn } from '../secrets/basic-secret.ts';
import { SecretError } from '../secrets/secret-text.ts';
import { pairIn } from './flags.ts';
import { mountedSecret } from './mounted-secret.ts';
import { isSystemError } from './step.ts';

/** Registry key as written (`reg.io`, `https://reg.io/v1/`, …) → login, or why it cannot be used. */
export type DockerCredentials = ReadonlyMap<string, KnownLogin>;

/** Largest docker config file we read, in bytes; a Secret holds at most 1 MiB. */
const limitBytes = 2 << 20;

/** Adds entries whose host no existing key matches: what was there first stays. */
export function appended(base: DockerCredentials, more: DockerCredentials): DockerCredentials {
  const merged = new Map(base);
  for (const [key, login] of more) {
    const host = hostOf(key);
    const keys = exactKeys(host);
    if (![...base.keys()].some((existing) => keys.has(existing))) merged.set(key, login);
  }
  return merged;
}

function hostOf(key: string): string {
  const url = /^https?:\/\//.test(key) ? key : `https://${key}`;
  return URL.canParse(url) ? new URL(url).host : key;
}

/**
 * The first entry that is exactly the repository's registry; only when there is none, one that covers it as Kubernetes sees it. Rejects with
 * CredentialError when that is one that cannot be used.
 */
export function keychainOf(credentials: DockerCredentials): Keychain {
  return async (repository) => {
    const entries = [...credentials];
    const found =
      entries.find(([key]) => exactKeys(repository.registry).has(key)) ??
      entries.find(([key]) => coversRepository(bareKey(key), repository));
    return await Promise.resolve(found && boundToScheme(found[0], repository.registry, usable(found[1])));
  };
}

/** Arguments that name mounted Secrets. */
export interface DockerSecretFlags {
  /** `secret=registry`. */
  readonly basicDocker: readonly string[];
  /** Secret names. */
  readonly dockercfg: readonly string[];
  readonly dockerconfig: readonly string[];
}

/**
 * Reads the Secrets that the flags name, in kpack's order, telling what is loaded from where, and what cannot be used: that harms nothing but
 * the registry it is for. @throws PermanentError for a malformed flag.
 */
export async function credentialsFromFlags(
  flags: DockerSecretFlags,
  secretsDir: string,
  log: (line: string) => void,
): Promise<DockerCredentials> {
  const basic = new Map<string, KnownLogin>();
  for (const flag of flags.basicDocker) {
    const pair = pairIn(flag);
    if (pair === undefined) throw new PermanentError('', `could not parse docker secret argument ${flag}`);
    const [secret, registry] = pair;
    log(`Loading secrets for "${registry}" from secret "${secret}"`);
    basic.set(registry, await basicLogin(secret, secretsDir));
  }
  let all: DockerCredentials = basic;
  for (const secret of [...flags.dockercfg, ...flags.dockerconfig]) {
    const location = join(secretsDir, secret);
    const found = await credentialsInFolder(location, log);
    for (const registry of found.keys()) {
      log(`Loading secret for "${registry}" from secret "${secret}" at location "${location}"`);
    }
    all = appended(all, found);
  }
  for (const [registry, login] of all)
    if (login.kind === 'unusable') log(`No credentials for "${registry}": ${login.why}`);
  return all;
}

async function basicLogin(secret: string, secretsDir: string): Promise<KnownLogin> {
  try {
    return { kind: 'basic', ...basicLoginIn(secret, await mountedSecret(join(secretsDir, secret))) };
  } catch (error) {
    if (error instanceof SecretError) return { kind: 'unusable', why: error.message };
    throw error;
  }
}

/**
 * `.dockercfg` and `.dockerconfigjson` of one mounted Secret, the former winning; nothing there is nothing known. A file that nobody can read
 * speaks of no registry, and is told of in the log.
 */
export async function credentialsInFolder(folder: string, log: (line: string) => void): Promise<DockerCredentials> {
  const readable = async (
    name: string,
    parse: (text: string) => readonly DockerLogin[],
  ): Promise<DockerCredentials> => {
    try {
      return await loginsIn(join(folder, name), parse);
    } catch (error) {
      if (!(error instanceof PermanentError)) throw error;
      log(`Passing over registry credentials that cannot be read: ${error.message}`);
      return new Map();
    }
  };
  const config = await readable('.dockerconfigjson', parseDockerConfigJson);
  return new Map([...config, ...(await readable('.dockercfg', parseDockerCfg))]);
}

/** The `auths` of a docker `config.json`. Credential helpers in it are not run: the image has none. */
export async function credentialsInConfigFile(path: string): Promise<DockerCredentials> {
  return await loginsIn(path, parseDockerConfigJson);
}

async function loginsIn(path: string, parse: (text: string) => readonly DockerLogin[]): Promise<DockerCredentials> {
  try {
    const text = await readFile(path, 'utf8');
    if (text.length > limitBytes) throw new PermanentError('', `${path} is larger than ${limitBytes} bytes`);
    return new Map(parse(text).map(({ key, login }) => [key, login]));
  } catch (error) {
    if (isSystemError(error, 'ENOENT') || isSystemError(error, 'ENOTDIR')) return new Map();
    if (error instanceof DockerConfigError) throw new PermanentError('', `${path}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** The form the lifecycle reads from `$HOME/.docker/config.json`. */
export function dockerConfigOf(credentials: DockerCredentials): string {
  const auths = [...credentials].flatMap(([registry, login]) =>
    login.kind === 'unusable' ? [] : [[registry, entryOf(login)]],
  );
  return JSON.stringify({ auths: Object.fromEntries(auths) as unknown });
}

function entryOf(login: Authorization): Readonly<Record<string, string>> {
  if (login.kind === 'identity-token') return { identitytoken: login.token };
  if (login.kind === 'registry-token') return { registrytoken: login.token };
  const { username, password } = login;
  return { auth: Buffer.from(`${username}:${password}`).toString('base64'), username, password };
}

/** Writes it for the lifecycle containers, which run as the same user. */
export async function saveDockerConfig(path: string, credentials: DockerCredentials): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, dockerConfigOf(credentials), { mode: 0o600 });
}
