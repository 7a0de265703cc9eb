/** Where git is sent for a repository, as whom: what is written in the URL at first, then where the asker found it, hop by hop. */
import type { NodeFetch } from '../../egress/fetch.ts';
import type { BasicCredential, GitSecret } from '../../git/credentials.ts';
import { named } from '../../git/failures.ts';
import { firstHop, type Hop, type HopLogin } from '../../git/hop.ts';
import { type FoundRepository, findOverHttp } from '../../git/http.ts';
import type { GitUrl } from '../../git/url.ts';
import { basicAuthorization } from '../../secrets/authorization.ts';
import type { GitSetting } from './git-command.ts';
import { credentialAmong } from './git-secrets.ts';

/** A repository over http or ssh, for git. */
export interface Place {
  /** What git is to ask in place of the remote that is written in the repository. */
  readonly url: string;
  readonly login?: HopLogin | undefined;
}

/** Without credentials, which travel another way. A path relative to the user's home keeps its form. `user` logs in where an ssh URL names nobody. */
export function remoteOf(url: GitUrl, user = 'git'): string {
  if (url.scheme !== 'ssh') return `${url.scheme}://${url.authority}${url.path}${url.query}`;
  const who = url.user ?? user;
  const host = url.host.includes(':') ? `[${url.host}]` : url.host;
  // git reads escapes in the first form, and none in the second.
  const path = url.path.replaceAll('%', '%25');
  if (path.startsWith('/')) return `ssh://${who}@${host}:${url.port}${path}`;
  return path.startsWith('~') ? `ssh://${who}@${host}:${url.port}/${path}` : `${who}@${host}:${url.path}`;
}

/** A query may be a token. `.git` becomes a part of the image, so what is written there goes without. */
export const writtenRemoteOf = (url: GitUrl, user?: string): string => remoteOf({ ...url, query: '' }, user);

const placeOf = ({ base, login }: Hop): Place => ({ url: base.href, login });

/** The URL as it is written. Of http(s) only. */
export const firstPlace = (url: GitUrl, credential: BasicCredential | undefined): Place => ({
  ...placeOf(firstHop({ url, credential })),
  url: remoteOf(url),
});

/** Is it another one than was tried? */
export const isOther = (a: Place, b: Place): boolean =>
  new URL(a.url).href !== new URL(b.url).href ||
  a.login?.username !== b.login?.username ||
  a.login?.password !== b.login?.password;

/** Settings for as long as git speaks with the host: it sends the login at once, and goes nowhere else with it. */
export const settingsWhileFetching = ({ login }: Place): readonly GitSetting[] => [
  ['http.followRedirects', 'false'],
  ...(login === undefined ? [] : [['http.extraHeader', `Authorization: ${basicAuthorization(login)}`] as const]),
];

/** The setting by which git asks there in place of `remote`. */
export const insteadOf = ({ url }: Place, remote: string): readonly GitSetting[] =>
  url === remote ? [] : [[`url.${url}.insteadOf`, remote]];

/** Longest look for a repository, in ms. */
const deadlineMilliseconds = 30_000;

/** What finding needs. */
export interface Finding {
  readonly secrets: readonly GitSecret[];
  readonly fetch: NodeFetch;
  readonly signal: AbortSignal;
}

/** A repository over http(s), and such of its refs as begin with one of the prefixes. @throws GitError that says why not */
export async function findPlace(
  url: GitUrl,
  credential: BasicCredential | undefined,
  prefixes: readonly string[],
  { secrets, fetch, signal }: Finding,
): Promise<Pick<FoundRepository, 'refs'> & { readonly place: Place }> {
  try {
    const { hop, refs } = await findOverHttp({
      url,
      credential,
      prefixes,
      fetch,
      credentialOf: async (elsewhere) => await Promise.resolve(credentialAmong(secrets, elsewhere)),
      signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMilliseconds)]),
    });
    return { refs, place: placeOf(hop) };
  } catch (error) {
    throw named(url, error);
  }
}
