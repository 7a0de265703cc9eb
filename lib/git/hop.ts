/** One host of those that redirects lead through, the login it is shown, and the rules by which both are chosen anew at each hop. */
import type { OpenAnswer } from '../egress/fetch.ts';
import { PermanentError } from '../errors/expected.ts';
import type { Login } from '../secrets/authorization.ts';
import type { BasicCredential, GitCredential } from './credentials.ts';
import { GitError } from './errors.ts';
import { isLoginPlace, isMove } from './login-page.ts';
import { type GitUrl, parseGitUrl } from './url.ts';

/** A login, and the Secret that it is from; without one it was written into the URL. */
export interface HopLogin extends Login {
  readonly secretName?: string;
}

/** Where a repository is asked for, as whom. */
export interface Hop {
  /** The repository's URL without the service suffix; never with a login. */
  readonly base: URL;
  /** Sent at once, as hosts may hide from everybody else that there is anything. */
  readonly login?: HopLogin | undefined;
  /** Sent once the host asks: a user name alone is no login until then. */
  readonly held?: HopLogin | undefined;
  /** Has somebody redirected us here from another origin? */
  readonly isElsewhere: boolean;
}

/** The credential for a host that another one sends us to; undefined when there is none. @throws GitError when it cannot be used */
export type CredentialOf = (url: GitUrl) => Promise<GitCredential | undefined>;

/** Which repository is asked for, as whom. */
export interface Asked {
  readonly url: GitUrl;
  /** For the URL's own host. */
  readonly credential?: BasicCredential | undefined;
  /** For other hosts; without it they are asked as anybody. */
  readonly credentialOf?: CredentialOf | undefined;
}

const infoRefs = '/info/refs';

/** The URL of a service of the repository. */
export const serviceUrl = (base: URL, service: 'git-upload-pack' | 'info/refs'): URL => {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/$/u, '')}/${service}`;
  if (service === 'info/refs') url.searchParams.set('service', 'git-upload-pack');
  return url;
};

/** The repository itself. A Secret comes before what is written in the URL. */
export const firstHop = ({ url, credential }: Asked): Hop => {
  const { scheme, authority, path, query, embedded } = url;
  const base = new URL(`${scheme}://${authority}${path}${query}`);
  if (credential !== undefined) return { base, login: credential, isElsewhere: false };
  return { base, [embedded?.isNameOnly === true ? 'held' : 'login']: embedded, isElsewhere: false };
};

/** How messages name the place that answered: the URL as written, and where it led when that is another origin. */
export const subjectOf = ({ url }: Asked, { base, isElsewhere }: Hop): string =>
  isElsewhere ? `${url.display} redirects to ${base.origin}, which` : url.display;

/** `scheme://host` as the annotation of a Secret would have it. */
const placeOf = (target: URL): GitUrl | undefined => {
  try {
    return parseGitUrl(target.href);
  } catch (error) {
    if (error instanceof PermanentError) return undefined;
    throw error;
  }
};

/**
 * The login for where a redirect leads: on the same origin the same; elsewhere that of the Secret that speaks for it, or the same where a host only
 * changes from http to https: it has it already. Another port is another host.
 */
const loginAt = async (asked: Asked, from: Hop, target: URL): Promise<Pick<Hop, 'held' | 'login'>> => {
  const kept = { login: from.login, held: from.held };
  if (target.origin === from.base.origin) return kept;
  const place = placeOf(target);
  const own = place === undefined ? undefined : await asked.credentialOf?.(place);
  if (own?.kind === 'basic') return { login: own };
  const isUpgrade = from.base.protocol === 'http:' && target.protocol === 'https:';
  return isUpgrade && target.hostname === from.base.hostname ? kept : {};
};

/** Where a redirect of the first request leads. Nothing falls back to plain http. @throws GitError when it leads to no repository */
export const nextHop = async (asked: Asked, from: Hop, response: OpenAnswer): Promise<Hop> => {
  const { url } = asked;
  const subject = subjectOf(asked, from);
  const protocolError = (why: string): GitError =>
    new GitError('protocol', `${subject} ${why}`, { host: url.authority });
  const location = response.headers.get('location')?.trim() ?? '';
  const here = serviceUrl(from.base, 'info/refs');
  if (location === '' || !URL.canParse(location, here.href))
    throw protocolError(`redirects without saying where (HTTP ${response.status}); check the URL`);
  const target = new URL(location, here.href);
  if (target.protocol !== 'https:' && target.protocol !== from.base.protocol)
    throw protocolError('redirects to what is not https, which is not followed; check where its host redirects');
  if (!target.pathname.endsWith(infoRefs)) {
    if (isMove(response.status) && !isLoginPlace(target))
      throw protocolError(`redirects to a page that is no repository (HTTP ${response.status}); check the URL`);
    throw new GitError(
      'unauthorized',
      `${subject} sends us to a page of ${target.origin} to log in (HTTP ${response.status}), ${remedyFor(from)}`,
      { host: url.authority },
    );
  }
  target.pathname = target.pathname.slice(0, -infoRefs.length);
  target.searchParams.delete('service');
  const login = await loginAt(asked, from, target);
  target.username = '';
  target.password = '';
  target.hash = '';
  return { base: target, ...login, isElsewhere: from.isElsewhere || target.origin !== from.base.origin };
};

/** What to do about a host that wants a person to log in: the rest of a sentence about it. */
export const remedyFor = ({ base, login }: Hop): string => {
  if (login === undefined) return `as it wants a login; ${howToGive(base)}`;
  const whose =
    login.secretName === undefined ? 'the login in the URL' : `the credentials of Secret ${login.secretName}`;
  return `as it does not take ${whose}; put a token there that its host accepts for git`;
};

/** How a credential for a host is given. */
export const howToGive = ({ protocol, host }: URL): string =>
  `give the ServiceAccount a kubernetes.io/basic-auth Secret annotated kpack.io/git: ${protocol}//${host}`;
