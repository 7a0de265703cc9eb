/** Is this the host we know? Reads `known_hosts` as sshd(8) describes it: plain, `[host]:port`, wildcards, negation, hashed, `@revoked`. */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** One usable line. */
export interface KnownHost {
  /** Patterns of plain lines, lower case; a leading `!` takes a host out again. */
  readonly patterns: readonly string[];
  /** Salt and HMAC of a hashed line, which names exactly one host. */
  readonly hashed?: { readonly salt: Buffer; readonly digest: Buffer };
  readonly revoked: boolean;
  readonly keyType: string;
  readonly key: Buffer;
}

/** `unknown`: no line names the host; `mismatch`: lines do, with other keys; `revoked`: the very key is withdrawn. */
export type HostKeyVerdict = 'known' | 'mismatch' | 'revoked' | 'unknown';

/** Where we connect to: host in lower case and port. */
export interface HostAddress {
  readonly host: string;
  readonly port: number;
}

const HASHED = /^\|1\|(?<salt>[A-Za-z0-9+/=]+)\|(?<digest>[A-Za-z0-9+/=]+)$/u;

/** A longer pattern names nobody: half of it, at least, is no star, and a name with its port has some 260 characters. */
const MAX_PATTERN = 600;

/** A run of stars says no more than one. */
const patternsIn = (text: string): readonly string[] =>
  text
    .toLowerCase()
    .split(',')
    .map((pattern) => pattern.replaceAll(/\*+/gu, '*'))
    .filter((pattern) => pattern !== '' && pattern.length <= MAX_PATTERN);

const readHosts = (text: string): Pick<KnownHost, 'hashed' | 'patterns'> => {
  const groups = HASHED.exec(text)?.groups;
  if (groups === undefined) return { patterns: patternsIn(text) };
  const decode = (name: string): Buffer => Buffer.from(groups[name] ?? '', 'base64');
  return { patterns: [], hashed: { salt: decode('salt'), digest: decode('digest') } };
};

const readLine = (line: string): KnownHost | undefined => {
  const words = line.trim().split(/[ \t]+/u);
  const marker = words[0]?.startsWith('@') === true ? words.shift() : undefined;
  // A host vouched for by a certificate authority is not understood: such a line names no key of the host itself.
  if (marker !== undefined && marker !== '@revoked') return undefined;
  const [hosts, keyType, encoded] = words;
  if (hosts === undefined || keyType === undefined || encoded === undefined) return undefined;
  return { ...readHosts(hosts), revoked: marker === '@revoked', keyType, key: Buffer.from(encoded, 'base64') };
};

/** Longest file that is looked at, in characters; some 1,000 hosts. */
export const MAX_KNOWN_HOSTS = 256 * 1024;

/** The usable lines of a `known_hosts` file of at most `MAX_KNOWN_HOSTS` characters. Comments, broken lines and `@cert-authority` are passed over, as ssh does. */
export const parseKnownHosts = (text: string): readonly KnownHost[] =>
  text
    .split(/\r?\n/u)
    .filter((line) => line.trim() !== '' && !line.trim().startsWith('#'))
    .map(readLine)
    .filter((entry) => entry !== undefined);

/** How files name a host: bare on port 22, `[host]:port` elsewhere. */
const nameIn = ({ host, port }: HostAddress): string => (port === 22 ? host : `[${host}]:${port}`);

/** Does the text match a pattern of `*` and `?`? Linear in practice and never exponential: one remembered star is enough. */
const matchesPattern = (text: string, pattern: string): boolean => {
  if (!pattern.includes('*') && !pattern.includes('?')) return text === pattern;
  let at = 0;
  let p = 0;
  let star = -1;
  let resume = 0;
  while (at < text.length) {
    if (p < pattern.length && pattern[p] === '*') {
      star = p;
      resume = at;
      p += 1;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[at])) {
      at += 1;
      p += 1;
    } else if (star !== -1) {
      p = star + 1;
      resume += 1;
      at = resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
};

const matchesHashed = ({ salt, digest }: NonNullable<KnownHost['hashed']>, name: string): boolean => {
  const actual = createHmac('sha1', salt).update(name).digest();
  return actual.length === digest.length && timingSafeEqual(actual, digest);
};

/** Does this line speak of the host? */
export const namesHost = (entry: KnownHost, address: HostAddress): boolean => {
  const name = nameIn(address);
  if (entry.hashed !== undefined) return matchesHashed(entry.hashed, name);
  if (entry.patterns.some((pattern) => pattern.startsWith('!') && matchesPattern(name, pattern.slice(1)))) return false;
  return entry.patterns.some((pattern) => !pattern.startsWith('!') && matchesPattern(name, pattern));
};

/** Lines of the host on port 22: ssh looks at them when none names the port. A key that they have is known; another says nothing. */
const bareLines = (entries: readonly KnownHost[], address: HostAddress): readonly KnownHost[] =>
  entries.filter((entry) => namesHost(entry, { ...address, port: 22 }));

const verdictOf = (lines: readonly KnownHost[], key: Buffer): HostKeyVerdict => {
  if (lines.some((entry) => entry.revoked && entry.key.equals(key))) return 'revoked';
  const valid = lines.filter((entry) => !entry.revoked);
  if (valid.length === 0) return 'unknown';
  return valid.some((entry) => entry.key.equals(key)) ? 'known' : 'mismatch';
};

/** What the file says about the key the host showed. */
export const hostKeyVerdict = (entries: readonly KnownHost[], address: HostAddress, key: Buffer): HostKeyVerdict => {
  const exact = verdictOf(
    entries.filter((entry) => namesHost(entry, address)),
    key,
  );
  if (exact !== 'unknown' || address.port === 22) return exact;
  const bare = verdictOf(bareLines(entries, address), key);
  return bare === 'mismatch' ? 'unknown' : bare;
};

/**
 * Host key algorithms worth asking for, so that a host with several keys shows the one we know; undefined when the file names no
 * key of it. An `ssh-rsa` key also signs with the SHA-2 algorithms (RFC 8332).
 */
export const knownAlgorithms = (entries: readonly KnownHost[], address: HostAddress): readonly string[] | undefined => {
  const exact = entries.filter((entry) => !entry.revoked && namesHost(entry, address));
  const lines = exact.length > 0 ? exact : bareLines(entries, address).filter(({ revoked }) => !revoked);
  const types = new Set(lines.map(({ keyType }) => keyType));
  if (types.size === 0) return undefined;
  return [...types].flatMap((type) => (type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'] : [type]));
};
