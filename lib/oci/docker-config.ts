/** The JSON of `~/.docker/config.json` and of Secrets made from it: `auths` by registry key (spec 03 §16.2). */
import { faultOfWord } from '../secrets/secret-text.ts';
import { parseJson } from '../text/bounded-json.ts';
import { shownUrl } from '../text/shown-url.ts';
import type { Authorization } from './keychain.ts';

/** One entry: what is known for a key as written. */
export interface DockerLogin {
  readonly key: string;
  readonly authorization: Authorization;
}

/** Why a docker config cannot be used; never quotes its content, which holds passwords. */
export class DockerConfigError extends Error {
  override readonly name = 'DockerConfigError';
}

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const textIn = (entry: Json, key: string): string => (typeof entry[key] === 'string' ? entry[key] : '');

const decodeAuth = (key: string, auth: string): { readonly username: string; readonly password: string } => {
  const trimmed = auth.trim();
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(trimmed))
    throw new DockerConfigError(`unable to decode auth field of ${shownUrl(key)}: not base64`);
  const decoded = Buffer.from(trimmed, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon < 0) {
    throw new DockerConfigError(
      `unable to decode auth field of ${shownUrl(key)}, must be formatted as base64(username:password)`,
    );
  }
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
};

/** Refuses what could not be sent, or was certainly not meant. */
const checked = (key: string, authorization: Authorization): DockerLogin => {
  const { kind, tlsOnly: _, ...words } = authorization;
  for (const [name, word] of Object.entries(words)) {
    const fault = faultOfWord(word);
    const what = name === 'token' ? kind.replace('-', ' ') : name;
    if (fault !== undefined) throw new DockerConfigError(`${what} of ${shownUrl(key)} ${fault}`);
  }
  return { key, authorization };
};

const loginOf = (key: string, entry: unknown): DockerLogin | undefined => {
  if (!isObject(entry)) return undefined;
  if (textIn(entry, 'registrytoken') !== '') {
    return checked(key, { kind: 'registry-token', token: textIn(entry, 'registrytoken') });
  }
  if (textIn(entry, 'identitytoken') !== '') {
    return checked(key, { kind: 'identity-token', token: textIn(entry, 'identitytoken') });
  }
  const auth = textIn(entry, 'auth');
  const { username, password } =
    auth === '' ? { username: textIn(entry, 'username'), password: textIn(entry, 'password') } : decodeAuth(key, auth);
  return username === '' && password === '' ? undefined : checked(key, { kind: 'basic', username, password });
};

/** A Secret holds 1 MiB. */
const longest = 1024 * 1024;

const parse = (text: string): Json => {
  try {
    const parsed = parseJson(text, { mostCharacters: longest });
    if (isObject(parsed)) return parsed;
  } catch {
    // The parser's own message would quote the text.
  }
  throw new DockerConfigError('not a JSON object');
};

/** Logins of a bare map (`.dockercfg`). `auth` wins over user and password; empty entries are left out. Throws DockerConfigError. */
export const parseDockerCfg = (text: string): readonly DockerLogin[] =>
  Object.entries(parse(text)).flatMap(([key, entry]) => loginOf(key, entry) ?? []);

/** Logins under `auths` (`.dockerconfigjson`, `config.json`); helpers are not run. Throws DockerConfigError. */
export const parseDockerConfigJson = (text: string): readonly DockerLogin[] => {
  const auths = parse(text)['auths'];
  return isObject(auths) ? Object.entries(auths).flatMap(([key, entry]) => loginOf(key, entry) ?? []) : [];
};
