/** The one way in which a URL leaves the cluster: in labels, attestations, conditions and logs. */
import { printable } from './printable.ts';

const mostCharacters = 2048;
/** Query parameters of registries that cannot be secrets (distribution-spec); signed storage URLs carry some that are. */
const shownParameters: ReadonlySet<string> = new Set(['scope', 'service', 'mount', 'from', 'digest', 'n', 'last']);

/**
 * A URL that another host told us: a redirect, a realm, the place of an upload. Only its origin is ever shown, since the rest is that host's answer
 * and nothing that anybody here wrote. A copy made by `new URL` forgets it: copy with `new ToldUrl`.
 */
export class ToldUrl extends URL {}

/** The one user whose name is known not to be a credential: how all git hosts are entered over ssh. */
const isPlainUser = ({ protocol, username, password }: URL): boolean =>
  protocol === 'ssh:' && username === 'git' && password === '';

/** A parsed URL without user, password and fragment, of its query only what cannot be a secret. */
const shown = (url: URL): string => {
  const pairs = [...url.searchParams].map(([key, value]) => {
    if (shownParameters.has(key)) return `${key}=${value}`;
    // A name without a value may be the secret itself.
    return value === '' ? 'REDACTED' : `${key}=REDACTED`;
  });
  const user = isPlainUser(url) ? 'git@' : '';
  return `${url.protocol}//${user}${url.host}${url.pathname}${pairs.length > 0 ? `?${pairs.join('&')}` : ''}`;
};

/** `user@host:path`, as ssh takes it. In its path `?` and `#` are letters; with another `@` it may be an address before a password. */
const scpLike = /^([\w.-]{1,256})@((?:[\w.-]{1,256}|\[[\da-f:.]{2,64}\]):(?![\\/]{2})[^@]*)$/isu;

/** A scheme and slashes, however many and whichever way: parsers are generous. */
const scheme = /^([a-z][a-z\d+.-]{0,31}):[\\/]{1,8}/iu;

/** The beginning of `text` up to the last `@`, written or encoded. */
const login = /^.*(?:@|%40)/isu;

/** A colon in a host that no port follows: what is behind it may be a password whose host is missing. */
const noPort = /^([^\\/:[\]]{0,256}):(?!\d{0,5}(?:[\\/]|$))[^\\/]*/u;

/** What nobody can parse: of its authority and path nothing before the last `@`, nothing behind `?` or `#`. */
const shownRaw = (text: string): string => {
  const [start = '', name] = scheme.exec(text) ?? [];
  // A password may hold `?`, `#` or `/`: the last `@` is looked for in all of it.
  const [rest = ''] = text.slice(start.length).replace(login, '').split(/[?#]/u, 1);
  return name === undefined ? rest : `${name}://${rest.replace(noPort, '$1')}`;
};

/**
 * A URL as it may be shown: one line without user, password and fragment, and without the values of its query. What cannot be parsed
 * keeps nothing before its last `@` and nothing behind `?` or `#`, so that a mistyped URL does not give its password away either.
 * `git@` over ssh stays.
 */
export const shownUrl = (url: URL | string): string => {
  if (url instanceof ToldUrl) return printable(`${url.protocol}//${url.host}/…`, mostCharacters);
  const text = (typeof url === 'string' ? url : url.href).trim();
  const [, user, place] = scpLike.exec(text) ?? [];
  if (place !== undefined) return printable(user === 'git' ? text : place, mostCharacters);
  const isWhole = /^[a-z][a-z\d+.-]{0,31}:\/\//iu.test(text) && URL.canParse(text);
  return printable(isWhole ? shown(new URL(text)) : shownRaw(text), mostCharacters);
};
