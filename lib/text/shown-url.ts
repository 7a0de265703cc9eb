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

/** A parsed URL without user, password and fragment, of its query only what cannot be a secret. */
const shown = (url: URL): string => {
  const pairs = [...url.searchParams].map(([key, value]) =>
    shownParameters.has(key) ? `${key}=${value}` : `${key}=REDACTED`,
  );
  return `${url.protocol}//${url.host}${url.pathname}${pairs.length > 0 ? `?${pairs.join('&')}` : ''}`;
};

/** `user@host:path`, as ssh takes it: the user is a name, not a credential. */
const scpLike = /^[\w.-]{1,256}@[\w.-]{1,256}:/u;

/**
 * A URL as it may be shown. What cannot be parsed keeps nothing before the last `@` of its authority and nothing behind `?` or `#`, so that a
 * mistyped URL does not give its password away either.
 */
export const shownUrl = (url: URL | string): string => {
  if (url instanceof ToldUrl) return printable(`${url.protocol}//${url.host}/…`, mostCharacters);
  if (typeof url !== 'string') return printable(shown(url), mostCharacters);
  const text = url.slice(0, 4 * mostCharacters);
  if (/^[a-z][a-z\d+.-]{0,31}:\/\//iu.test(text) && URL.canParse(text))
    return printable(shown(new URL(text)), mostCharacters);
  if (scpLike.test(text)) return printable(text, mostCharacters);
  const bare = text.split(/[?#]/u, 1)[0] ?? '';
  return printable(bare.slice(bare.lastIndexOf('@') + 1), mostCharacters);
};
