/**
 * The JSON of `~/.docker/config.json` and of Secrets made from it: `auths` by registry key (spec 03 §16.2), as Go's encoding/json and the readers
 * of go-containerregistry, Kubernetes and Docker take it: names in any case, of names that come twice the last, null as nothing.
 */
import { faultOfWord } from '../secrets/secret-text.ts';
import { JsonMembers, type JsonValue, parseJsonPairs } from '../text/json-pairs.ts';
import { shownUrl } from '../text/shown-url.ts';
import { withoutEnds } from '../text/trim-end.ts';
import type { Authorization } from './keychain.ts';

/** A login that was meant for a registry and cannot be used; `why` is a sentence without any of its content. */
export interface UnusableLogin {
  readonly kind: 'unusable';
  readonly why: string;
}

/** What is known for a key. */
export type KnownLogin = Authorization | UnusableLogin;

/** One entry, its key as written. */
export interface DockerLogin {
  readonly key: string;
  readonly login: KnownLogin;
}

/** Why a docker config cannot be used at all; never quotes its content, which holds passwords. */
export class DockerConfigError extends Error {
  override readonly name = 'DockerConfigError';
}

/** Why one entry cannot be used. */
class EntryFault extends Error {}

/** Go compares names of fields without regard to case, and to two letters that fold into ASCII. */
const folded = (name: string): string => name.toUpperCase().toLowerCase();

type Field = 'auth' | 'identitytoken' | 'password' | 'registrytoken' | 'username';
const fields: ReadonlySet<string> = new Set(['auth', 'identitytoken', 'password', 'registrytoken', 'username']);

const fieldsIn = (members: JsonMembers): ReadonlyMap<string, string> => {
  const found = new Map<string, string>();
  for (const [name, value] of members.list) {
    const field = folded(name);
    if (!fields.has(field) || value === null) continue;
    if (typeof value !== 'string') throw new EntryFault(`${field} of KEY is no text: put it in quotes`);
    found.set(field, value);
  }
  return found;
};

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Padded or not, with line breaks anywhere: what Go's StdEncoding and RawStdEncoding take between them. */
const fromBase64 = (text: string): string => {
  const bare = text.replaceAll(/[\r\n]/gu, '');
  const isPadded = bare.endsWith('=');
  const isWhole = isPadded ? bare.length % 4 === 0 : bare.length % 4 !== 1;
  if (!isWhole || !/^[A-Za-z0-9+/]*={0,2}$/u.test(bare))
    throw new EntryFault('unable to decode auth field of KEY: not base64');
  try {
    return utf8.decode(Buffer.from(bare, 'base64'));
  } catch {
    throw new EntryFault('unable to decode auth field of KEY: not text in UTF-8');
  }
};

const decodeAuth = (auth: string): { readonly username: string; readonly password: string } => {
  const decoded = fromBase64(auth);
  const colon = decoded.indexOf(':');
  if (colon < 0)
    throw new EntryFault('unable to decode auth field of KEY, must be formatted as base64(username:password)');
  // Docker fills old passwords up with zeros.
  return { username: decoded.slice(0, colon), password: withoutEnds(decoded.slice(colon + 1), '\0') };
};

/** Refuses what could not be sent, or was certainly not meant. */
const checked = (authorization: Authorization): Authorization => {
  const { kind, tlsOnly: _, ...words } = authorization;
  for (const [name, word] of Object.entries(words)) {
    const fault = faultOfWord(word);
    const what = name === 'token' ? kind.replace('-', ' ') : name;
    if (fault !== undefined) throw new EntryFault(`${what} of KEY ${fault}`);
  }
  return authorization;
};

/** `auth` is before user and password; a token before them all. Undefined for an entry that says nothing. */
const authorizationIn = (entry: JsonValue): Authorization | undefined => {
  if (entry === null) return undefined;
  if (!(entry instanceof JsonMembers)) throw new EntryFault('the entry of KEY is no object');
  const found = fieldsIn(entry);
  const text = (field: Field): string => found.get(field) ?? '';
  const auth = text('auth');
  const { username, password } =
    auth === '' ? { username: text('username'), password: text('password') } : decodeAuth(auth);
  if (text('registrytoken') !== '') return checked({ kind: 'registry-token', token: text('registrytoken') });
  if (text('identitytoken') !== '') return checked({ kind: 'identity-token', token: text('identitytoken') });
  return username === '' && password === '' ? undefined : checked({ kind: 'basic', username, password });
};

const loginOf = (key: string, entry: JsonValue): KnownLogin | undefined => {
  try {
    return authorizationIn(entry);
  } catch (error) {
    if (!(error instanceof EntryFault)) throw error;
    return { kind: 'unusable', why: error.message.replace('KEY', () => shownUrl(key)) };
  }
};

const loginsIn = (entries: JsonMembers): readonly DockerLogin[] =>
  [...new Map(entries.list)].flatMap(([key, entry]) => {
    const login = loginOf(key, entry);
    return login === undefined ? [] : [{ key, login }];
  });

/** A Secret holds 1 MiB. */
const longest = 1024 * 1024;

const notAnObject = (what: string): DockerConfigError => new DockerConfigError(`${what} a JSON object`);

const parse = (text: string): JsonMembers => {
  let parsed: JsonValue;
  try {
    parsed = parseJsonPairs(text, { mostCharacters: longest });
  } catch {
    // The parser's own message would quote the text.
    throw notAnObject('not');
  }
  if (parsed === null) return new JsonMembers([]);
  if (parsed instanceof JsonMembers) return parsed;
  throw notAnObject('not');
};

/** Logins of a bare map (`.dockercfg`). `auth` wins over user and password; empty entries are left out. Throws DockerConfigError. */
export const parseDockerCfg = (text: string): readonly DockerLogin[] => loginsIn(parse(text));

/** Logins under `auths` (`.dockerconfigjson`, `config.json`); helpers are not run. Throws DockerConfigError. */
export const parseDockerConfigJson = (text: string): readonly DockerLogin[] => {
  // Go reads each of several into the same map, which a null empties.
  let members: JsonMembers['list'] = [];
  for (const [name, value] of parse(text).list) {
    if (folded(name) !== 'auths') continue;
    if (value !== null && !(value instanceof JsonMembers)) throw notAnObject('auths is not');
    members = value === null ? [] : [...members, ...value.list];
  }
  return loginsIn(new JsonMembers(members));
};
