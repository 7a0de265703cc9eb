/** Where the repository of a shared poll is, as a follower says, and asking it: the poll itself stores neither URL nor credential (DESIGN §3.17). */
import type { SourceResolver } from '../api/source-resolver.ts';
import { PermanentError } from '../errors/expected.ts';
import { GitError } from '../git/errors.ts';
import type { GitRef } from '../git/refs.ts';
import { type GitUrl, parseGitUrl } from '../git/url.ts';
import type { KubeClient } from '../kube/client.ts';
import type { TargetKey } from '../state/keys.ts';
import { accountCredentials, namedCredential } from './account-credential.ts';
import { type AskHostPorts, askHost } from './ask-host.ts';
import { prefixesFor } from './git-poll.ts';
import { askedSeconds } from './poll-interval.ts';
import { gitPollFor, type PollSettings } from './polling.ts';

/** Of a poll, what tells which repository it is about. */
export interface PolledAs {
  readonly target: TargetKey;
  readonly secretName: string | undefined;
}

/** What a follower says of the repository. */
export interface Place {
  /** Name of the follower, a SourceResolver in the poll's namespace. */
  readonly follower: string;
  readonly url: GitUrl;
  readonly settings: PollSettings;
  /** The source asks for that interval itself. */
  readonly isAsked: boolean;
  /** Whose Secrets open the hosts that the URL's host redirects to. */
  readonly serviceAccount: string | undefined;
}

/** The repository's URL and interval if this SourceResolver still asks for them; `common` is the interval of who asks for none. */
export const placeIn = (
  resolver: SourceResolver | undefined,
  { target, secretName }: PolledAs,
  common: PollSettings,
): Place | undefined => {
  const text = resolver?.spec.source.git?.url;
  if (resolver === undefined || text === undefined) return undefined;
  const { namespace = '', name } = resolver.metadata;
  try {
    const url = parseGitUrl(text);
    const intervalSeconds = askedSeconds(resolver.metadata.annotations);
    const isOurs = gitPollFor(url, { namespace, name, secretName, intervalSeconds }).name === target.name;
    if (!isOurs) return undefined;
    const isAsked = intervalSeconds !== undefined;
    const settings = isAsked ? { intervalSeconds } : common;
    return { follower: name, url, settings, isAsked, serviceAccount: resolver.spec.serviceAccount };
  } catch (error) {
    if (error instanceof PermanentError) return undefined;
    throw error;
  }
};

/** What asking for refs needs beside the place. */
export interface Listing {
  readonly kube: Pick<KubeClient, 'get'>;
  readonly revisions: readonly string[];
  readonly now: Date;
  readonly signal: AbortSignal;
}

/** The refs that answer all revisions. @throws GitError, KubeError */
export const listPlace = async (
  ports: AskHostPorts,
  { target, secretName }: PolledAs,
  { url, serviceAccount }: Place,
  { kube, revisions, now, signal }: Listing,
): Promise<readonly GitRef[]> => {
  const credential =
    secretName === undefined ? undefined : await namedCredential(kube, target.namespace, secretName, url);
  if (secretName !== undefined && credential === undefined) {
    throw new GitError(
      'unauthorized',
      `Secret ${secretName} is gone or no longer speaks of ${url.authority}; put it back, or another annotated kpack.io/git: ${url.authority}`,
      {
        host: url.authority,
        heard: 'undialled',
      },
    );
  }
  const credentialOf = accountCredentials(kube, target.namespace, serviceAccount);
  const question = { url, credential, credentialOf, prefixes: prefixesFor(revisions) };
  return askHost(ports, question, { tenant: target, now }, signal);
};
