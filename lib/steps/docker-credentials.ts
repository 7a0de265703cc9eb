/** Registry credentials mounted into the build pod, matched and merged as kpack does (spec 03 §16.1, §16.2). */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PermanentError } from '../errors/expected.ts';
import type { Authorization, Keychain } from '../oci/keychain.ts';
import { pairIn } from './flags.ts';
import { isSystemError } from './step.ts';

/** One entry of a docker config file. */
export interface DockerLogin {
  readonly username: string;
  readonly password: string;
  readonly identityToken?: string;
  readonly registryToken?: string;
}

/** Registry key as written (`reg.io`, `https://reg.io/v1/`, …) → login. */
export type DockerCredentials = ReadonlyMap<string, DockerLogin>;

/** Largest docker config file we read, in bytes; a Secret holds at most 1 MiB. */
const limitBytes = 2 << 20;

/** Does the key of a credential speak of this registry host? No wildcards, no paths, no other spelling of Docker Hub. */
export function keyMatches(key: string, registry: string): boolean {
  const host = registry === 'index.docker.io' ? 'https://index.docker.io/v1/' : registry;
  const hosts = [host, `https://${host}`, `http://${host}`];
  const paths = ['/v1/', '/v2/'].flatMap((path) => hosts.slice(1).map((prefix) => `${prefix}${path}`));
  return [...hosts, ...paths].includes(key);
}

/** Adds entries whose host no existing key matches: what was there first stays. */
export function appended(base: DockerCredentials, more: DockerCredentials): DockerCredentials {
  const merged = new Map(base);
  for (const [key, login] of more) {
    const host = hostOf(key);
    if (![...base.keys()].some((existing) => keyMatches(existing, host))) merged.set(key, login);
  }
  return merged;
}

function hostOf(key: string): string {
  try {
    return new URL(/^https?:\/\//.test(key) ? key : `https://${key}`).host;
  } catch {
    return key;
  }
}

/** Answers with the first entry that matches the repository's registry. */
export function keychainOf(credentials: DockerCredentials): Keychain {
  return ({ registry }) => {
    const found = [...credentials].find(([key]) => keyMatches(key, registry));
    return Promise.resolve(found === undefined ? undefined : authorizationOf(found[1]));
  };
}

function authorizationOf({ username, password, identityToken, registryToken }: DockerLogin): Authorization {
  if (registryToken !== undefined) return { kind: 'registry-token', token: registryToken };
  if (identityToken !== undefined) return { kind: 'identity-token', token: identityToken };
  return { kind: 'basic', username, password };
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
  const basic = new Map<string, DockerLogin>();
  for (const flag of flags.basicDocker) {
    const pair = pairIn(flag);
    if (pair === undefined) throw new PermanentError('', `could not parse docker secret argument ${flag}`);
    const [secret, registry] = pair;
    log(`Loading secrets for "${registry}" from secret "${secret}"`);
    const [username, password] = await Promise.all(
      ['username', 'password'].map((key) => readFile(join(secretsDir, secret, key), 'utf8')),
    );
    basic.set(registry, { username: username ?? '', password: password ?? '' });
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
  const config = parseLogins(await jsonIn(join(folder, '.dockerconfigjson')), 'auths');
  return new Map([...config, ...parseLogins(await jsonIn(join(folder, '.dockercfg')))]);
}

/** The `auths` of a docker `config.json`. Credential helpers in it are not run: the image has none. */
export async function credentialsInConfigFile(path: string): Promise<DockerCredentials> {
  return parseLogins(await jsonIn(path), 'auths');
}

async function jsonIn(path: string): Promise<unknown> {
  try {
    const text = await readFile(path, 'utf8');
    if (text.length > limitBytes) throw new PermanentError('', `${path} is larger than ${limitBytes} bytes`);
    return JSON.parse(text);
  } catch (error) {
    if (isSystemError(error, 'ENOENT') || isSystemError(error, 'ENOTDIR')) return undefined;
    // The parser's own message would quote the file, which holds passwords.
    if (error instanceof SyntaxError) throw new PermanentError('', `${path} is not valid JSON`);
    throw error;
  }
}

function parseLogins(json: unknown, key?: string): DockerCredentials {
  const entries = key === undefined ? json : isObject(json) ? json[key] : undefined;
  if (!isObject(entries)) return new Map();
  return new Map(Object.entries(entries).map(([registry, entry]) => [registry, loginOf(registry, entry)]));
}

function loginOf(registry: string, entry: unknown): DockerLogin {
  const text = (key: string): string => {
    const value = isObject(entry) ? entry[key] : undefined;
    return typeof value === 'string' ? value : '';
  };
  const tokens = {
    ...(text('identitytoken') && { identityToken: text('identitytoken') }),
    ...(text('registrytoken') && { registryToken: text('registrytoken') }),
  };
  if (text('auth') === '') return { username: text('username'), password: text('password'), ...tokens };
  const decoded = Buffer.from(text('auth'), 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon === -1)
    throw new PermanentError('', `the auth of registry "${registry}" is not base64 of username:password`);
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1).replace(/\0+$/, ''), ...tokens };
}

/** The form the lifecycle reads from `$HOME/.docker/config.json`. */
export function dockerConfigOf(credentials: DockerCredentials): string {
  const auths = [...credentials].map(([registry, { username, password, identityToken, registryToken }]) => [
    registry,
    {
      auth: Buffer.from(`${username}:${password}`).toString('base64'),
      username,
      password,
      ...(identityToken !== undefined && { identitytoken: identityToken }),
      ...(registryToken !== undefined && { registrytoken: registryToken }),
    },
  ]);
  return JSON.stringify({ auths: Object.fromEntries(auths) as unknown });
}

/** Writes it for the lifecycle containers, which run as the same user. */
export async function saveDockerConfig(path: string, credentials: DockerCredentials): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, dockerConfigOf(credentials), { mode: 0o600 });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
