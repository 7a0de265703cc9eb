/** Registry credentials mounted into the build pod, matched and merged as kpack does (spec 03 §16.1, §16.2). */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PermanentError } from '../errors/expected.ts';
import { DockerConfigError, type DockerLogin, parseDockerCfg, parseDockerConfigJson } from '../oci/docker-config.ts';
import type { Authorization, Keychain } from '../oci/keychain.ts';
import { bareKey, boundToScheme, coversRepository, exactKeys } from '../oci/registry-keys.ts';
import { secretWord } from '../secrets/secret-text.ts';
import { pairIn } from './flags.ts';
import { mountedSecret } from './mounted-secret.ts';
import { isSystemError } from './step.ts';

/** Registry key as written (`reg.io`, `https://reg.io/v1/`, …) → login. */
export type DockerCredentials = ReadonlyMap<string, Authorization>;

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

/** The first entry that is exactly the repository's registry; only when there is none, one that covers it as Kubernetes sees it. */
export function keychainOf(credentials: DockerCredentials): Keychain {
  return (repository) => {
    const entries = [...credentials];
    const found =
      entries.find(([key]) => exactKeys(repository.registry).has(key)) ??
      entries.find(([key]) => coversRepository(bareKey(key), repository));
    return Promise.resolve(found && boundToScheme(found[0], repository.registry, found[1]));
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

/** Reads the Secrets that the flags name, in kpack's order, telling what is loaded from where. @throws PermanentError for a malformed flag. */
export async function credentialsFromFlags(
  flags: DockerSecretFlags,
  secretsDir: string,
  log: (line: string) => void,
): Promise<DockerCredentials> {
  const basic = new Map<string, Authorization>();
  for (const flag of flags.basicDocker) {
    const pair = pairIn(flag);
    if (pair === undefined) throw new PermanentError('', `could not parse docker secret argument ${flag}`);
    const [secret, registry] = pair;
    log(`Loading secrets for "${registry}" from secret "${secret}"`);
    const bytes = await mountedSecret(join(secretsDir, secret));
    const [username, password] = [
      secretWord({ secret, key: 'username' }, bytes('username')),
      secretWord({ secret, key: 'password' }, bytes('password')),
    ];
    basic.set(registry, { kind: 'basic', username, password });
  }
  let all: DockerCredentials = basic;
  for (const secret of [...flags.dockercfg, ...flags.dockerconfig]) {
    const location = join(secretsDir, secret);
    const found = await credentialsInFolder(location);
    for (const registry of found.keys()) {
      log(`Loading secret for "${registry}" from secret "${secret}" at location "${location}"`);
    }
    all = appended(all, found);
  }
  return all;
}

/** `.dockercfg` and `.dockerconfigjson` of one mounted Secret, the former winning; nothing there is nothing known. */
export async function credentialsInFolder(folder: string): Promise<DockerCredentials> {
  const config = await loginsIn(join(folder, '.dockerconfigjson'), parseDockerConfigJson);
  return new Map([...config, ...(await loginsIn(join(folder, '.dockercfg'), parseDockerCfg))]);
}

/** The `auths` of a docker `config.json`. Credential helpers in it are not run: the image has none. */
export async function credentialsInConfigFile(path: string): Promise<DockerCredentials> {
  return await loginsIn(path, parseDockerConfigJson);
}

async function loginsIn(path: string, parse: (text: string) => readonly DockerLogin[]): Promise<DockerCredentials> {
  try {
    const text = await readFile(path, 'utf8');
    if (text.length > limitBytes) throw new PermanentError('', `${path} is larger than ${limitBytes} bytes`);
    return new Map(parse(text).map(({ key, authorization }) => [key, authorization]));
  } catch (error) {
    if (isSystemError(error, 'ENOENT') || isSystemError(error, 'ENOTDIR')) return new Map();
    if (error instanceof DockerConfigError) throw new PermanentError('', `${path}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** The form the lifecycle reads from `$HOME/.docker/config.json`. */
export function dockerConfigOf(credentials: DockerCredentials): string {
  const auths = [...credentials].map(([registry, login]) => [registry, entryOf(login)]);
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
