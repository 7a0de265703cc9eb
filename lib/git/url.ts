/** What a git URL means: which transport, host and path, and which forms are refused before anything is dialled. */
import { PermanentError } from '../errors/expected.ts';
import { faultOfWord } from '../secrets/secret-text.ts';
import { printable } from '../text/printable.ts';
import { shownUrl } from '../text/shown-url.ts';

/** Username and password written into a URL. */
interface EmbeddedCredentials {
  readonly username: string;
  readonly password: string;
  /** No colon follows the name: it is no login yet, and shown only to a host that asks for one. */
  readonly isNameOnly?: true;
}

/** A repository we can ask for its refs. */
export interface GitUrl {
  readonly scheme: 'http' | 'https' | 'ssh';
  /** Host with port exactly as written: what the `kpack.io/git` annotation is compared with, case included (spec 02 §8.6). */
  readonly authority: string;
  /** Host to dial: lower case, without port, without the brackets of an IPv6 address. */
  readonly host: string;
  /** Port to dial. */
  readonly port: number;
  /** For http(s) the percent-encoded path with its slash; for ssh the path as the host's shell is to see it. */
  readonly path: string;
  /** Query of an http(s) URL with its question mark, or empty. */
  readonly query: string;
  /** Credentials written into an http(s) URL, decoded; absent for ssh. */
  readonly embedded?: EmbeddedCredentials;
  /** User that an ssh URL names, unless it is `git`: hosts such as CodeCommit and Gerrit know people by it. A password there means nothing. */
  readonly user?: string;
  /** The URL without credentials, fit for messages and logs. */
  readonly display: string;
}

/** Longest URL we look at; longer ones are no repository of anybody. */
const MAX_LENGTH = 4096;
/** Longest host name there is (RFC 1035 §2.3.4). */
const MAX_HOST_LENGTH = 253;
const DEFAULT_PORT = { http: 80, https: 443, ssh: 22 } as const;
/** `[user@]host:path`; a slash before the colon makes it a local path, as git itself decides. */
const SCP_FORM = /^(?:(?<user>[^/:[\]]*)@)?(?<host>\[[^\]/]+\]|[^/:[\]@]+):(?<path>.*)$/su;
const WITH_SCHEME = /^(?<scheme>[A-Za-z][A-Za-z0-9+.-]*):\/\/(?<rest>.*)$/su;
const HOST_NAME = /^(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?|\[[0-9A-Fa-f:.]+\])$/u;

const refused = (
  shown: string,
  why: string,
  remedy = 'write https://host/path, ssh://git@host/path or git@host:path',
): PermanentError => new PermanentError('InvalidGitUrl', `git URL ${shown} ${why}; ${remedy}`);

/** What may be shown of a URL that could not be read. */
const shownRaw = (text: string): string => JSON.stringify(shownUrl(text).slice(0, 200));

const hasControl = (text: string): boolean => /\p{Cc}/u.test(text);

interface Authority {
  readonly authority: string;
  readonly host: string;
  readonly port: number;
}

const readAuthority = (text: string, scheme: keyof typeof DEFAULT_PORT, shown: string): Authority => {
  const match = /^(?<name>\[[^\]]*\]|[^:]*)(?::(?<port>\d*))?$/u.exec(text);
  const name = match?.groups?.['name'] ?? '';
  if (!HOST_NAME.test(name) || name.length > MAX_HOST_LENGTH) throw refused(shown, 'has no usable host');
  const written = match?.groups?.['port'] ?? '';
  const port = written === '' ? DEFAULT_PORT[scheme] : Number(written);
  if (port < 1 || port > 65_535) throw refused(shown, `has no usable port (${written.slice(0, 20)})`);
  return { authority: text, host: name.replace(/^\[|\]$/gu, '').toLowerCase(), port };
};

const decoded = (text: string, shown: string): string => {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError)
      throw refused(shown, 'has a percent sign that begins no escape of UTF-8', 'write the sign itself as %25');
    throw error;
  }
};

/** Names that ssh takes; others it could read as an option or a shell as a command. */
const SSH_USER = /^[A-Za-z0-9_][A-Za-z0-9_.+@$-]{0,127}$/u;

const readSshUser = (written: string | undefined, shown: string): Pick<GitUrl, 'user'> => {
  const [encoded = ''] = (written ?? '').split(':', 1);
  const user = decoded(encoded, shown);
  if (user === '' || user === 'git') return {};
  if (!SSH_USER.test(user))
    throw refused(shown, 'names a user that ssh does not take', 'correct the name before the @');
  return { user };
};

/** A path that the host's git or shell could take for an option is refused, as git refuses it. */
const readSshPath = (path: string, shown: string): string => {
  if (path === '' || path === '/') throw refused(shown, 'names no repository');
  if (path.startsWith('-')) throw refused(shown, 'has a path that looks like an option');
  if (hasControl(path)) throw refused(shown, 'contains control characters');
  return path;
};

const splitUser = (rest: string): { readonly user: string | undefined; readonly after: string } => {
  const slash = rest.search(/[/?#]/u);
  const authority = slash === -1 ? rest : rest.slice(0, slash);
  const at = authority.lastIndexOf('@');
  return at === -1 ? { user: undefined, after: rest } : { user: rest.slice(0, at), after: rest.slice(at + 1) };
};

const readEmbedded = (user: string, shown: string): { readonly embedded?: EmbeddedCredentials } => {
  if (user === '') return {};
  const colon = user.indexOf(':');
  const username = decoded(colon === -1 ? user : user.slice(0, colon), shown);
  const password = colon === -1 ? '' : decoded(user.slice(colon + 1), shown);
  const fault = faultOfWord(username) ?? faultOfWord(password);
  if (fault !== undefined) throw refused(shown, `has a login that ${fault}`);
  return { embedded: { username, password, ...(colon === -1 ? { isNameOnly: true } : {}) } };
};

const readHttp = (scheme: 'http' | 'https', rest: string, shown: string): GitUrl => {
  const { user, after } = splitUser(rest);
  const match = /^(?<authority>[^/?#]*)(?<path>\/[^?#]*)?(?<query>\?[^#]*)?(?:#.*)?$/su.exec(after);
  const where = readAuthority(match?.groups?.['authority'] ?? '', scheme, shown);
  const path = match?.groups?.['path'] ?? '/';
  const query = match?.groups?.['query'] ?? '';
  const plain = `${scheme}://${where.authority}${path}`;
  // An address with a 256 in it, for example, is no host, whatever the pattern says.
  if (!URL.canParse(`${plain}${query}`)) throw refused(shown, 'has no usable host');
  const display = printable(plain, MAX_LENGTH);
  return { scheme, ...where, path, query, ...readEmbedded(user ?? '', shown), display };
};

const readSsh = (rest: string, shown: string): GitUrl => {
  const { user, after } = splitUser(rest);
  const slash = after.indexOf('/');
  if (slash === -1) throw refused(shown, 'names no repository');
  const where = readAuthority(after.slice(0, slash), 'ssh', shown);
  const whole = decoded(after.slice(slash), shown);
  // `ssh://host/~user/repo` means the home of that user, as in git.
  const path = readSshPath(whole.startsWith('/~') ? whole.slice(1) : whole, shown);
  return {
    scheme: 'ssh',
    ...where,
    ...readSshUser(user, shown),
    path,
    query: '',
    display: printable(`ssh://${where.authority}/${whole.replace(/^\//u, '')}`, MAX_LENGTH),
  };
};

const readScp = (text: string, shown: string): GitUrl => {
  const groups = SCP_FORM.exec(text)?.groups;
  const host = groups?.['host'];
  if (host === undefined) throw refused(shown, 'is a local path or not a URL');
  const where = readAuthority(host, 'ssh', shown);
  const path = readSshPath(groups?.['path'] ?? '', shown);
  const display = printable(`${where.authority}:${path}`, MAX_LENGTH);
  return { scheme: 'ssh', ...where, ...readSshUser(groups?.['user'], shown), path, query: '', display };
};

/**
 * Reads `https://`, `http://`, `ssh://` and `[user@]host:path`. Local paths, `file://`, `git://`, remote helpers (`ext::…`),
 * anything that looks like an option and anything with control characters is refused: PermanentError `InvalidGitUrl`.
 * Source: spec 02 §8.6, spec 03 §16.5.
 */
export const parseGitUrl = (text: string): GitUrl => {
  const shown = shownRaw(text);
  if (text.length > MAX_LENGTH) throw refused(shown, `is longer than ${MAX_LENGTH} characters`);
  if (hasControl(text) || /\s/u.test(text)) throw refused(shown, 'contains spaces or control characters');
  if (text.startsWith('-')) throw refused(shown, 'looks like an option');
  if (/^[A-Za-z0-9]+::/u.test(text)) throw refused(shown, 'asks for a remote helper');
  const groups = WITH_SCHEME.exec(text)?.groups;
  if (groups === undefined) return readScp(text, shown);
  const scheme = groups['scheme'] ?? '';
  const rest = groups['rest'] ?? '';
  if (scheme === 'http' || scheme === 'https') return readHttp(scheme, rest, shown);
  if (scheme === 'ssh') return readSsh(rest, shown);
  throw refused(shown, `has the scheme ${JSON.stringify(scheme.slice(0, 20))}, which is not supported`);
};

/** One text for all spellings of one repository on one host (host case, default port); never with credentials. Two paths or users stay two repositories. */
export const normalGitUrl = (url: GitUrl): string => {
  const host = url.host.includes(':') ? `[${url.host}]` : url.host;
  const port = url.port === DEFAULT_PORT[url.scheme] ? '' : `:${url.port}`;
  const path = url.path.startsWith('/') ? url.path : `/./${url.path}`;
  const user = url.user === undefined ? '' : `${url.user}@`;
  return `${url.scheme}://${user}${host}${port}${path}${url.query}`;
};
