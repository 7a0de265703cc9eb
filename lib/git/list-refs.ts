/** The one way to ask a repository for its refs: picks the transport, sets the deadline and names every failure. */
import type { NodeFetch } from '../egress/fetch.ts';
import type { Dial } from '../egress/guard.ts';
import type { GitCredential } from './credentials.ts';
import { named, needsKey } from './failures.ts';
import type { CredentialOf } from './hop.ts';
import { findOverHttp } from './http.ts';
import type { GitRef } from './refs.ts';
import type { GitUrl } from './url.ts';

/** A question to one repository. */
export interface ListRefs {
  readonly url: GitUrl;
  /** Of the kind the URL needs; undefined asks as anybody. */
  readonly credential?: GitCredential | undefined;
  /** For hosts that the URL's host redirects to; without it they are asked as anybody. */
  readonly credentialOf?: CredentialOf | undefined;
  /** Full ref names or beginnings of them, `refs/heads/` for example; none asks for all refs. */
  readonly prefixes: readonly string[];
}

/** How this installation talks to git hosts. */
export interface GitSettings {
  /** Limit for one listing, in seconds; kpack's is 10 (spec 02 §8.3). */
  readonly deadlineSeconds: number;
  /** kpack's `INSECURE_SSH_TRUST_UNKNOWN_HOSTS`, true by default (spec 02 §1.1). */
  readonly trustUnknownHosts: boolean;
  /** Hosts known to the installation, in the format of known_hosts. */
  readonly knownHosts?: string | undefined;
}

/** What goes out to the network: guarded, since tenants name the hosts (lib/egress). */
export interface GitWay {
  readonly fetch: NodeFetch;
  readonly dial: Dial;
}

/** kpack's defaults. */
export const defaultGitSettings: GitSettings = { deadlineSeconds: 10, trustUnknownHosts: true };

/** Port of everything that wants refs. */
export type RefLister = (ask: ListRefs, signal?: AbortSignal) => Promise<readonly GitRef[]>;

const ask = async (
  { url, credential, credentialOf, prefixes }: ListRefs,
  { fetch, dial }: GitWay,
  settings: GitSettings,
  signal: AbortSignal,
): Promise<readonly GitRef[]> => {
  if (url.scheme !== 'ssh') {
    const basic = credential?.kind === 'basic' ? credential : undefined;
    return (await findOverHttp({ url, prefixes, signal, fetch, credential: basic, credentialOf })).refs;
  }
  if (credential?.kind !== 'ssh') throw needsKey(url);
  // Loaded on first use: most functions that list refs never meet an ssh URL, and the library costs 36 ms to load.
  const { listOverSsh } = await import('./ssh.ts');
  return listOverSsh({ url, credential, prefixes, signal, dial, ...settings });
};

/**
 * Builds the lister. It fails with a GitError for everything a host, a network or a credential can do wrong, never later than the
 * deadline; an aborted `signal` counts as the deadline.
 */
export const refLister =
  (way: GitWay, settings: GitSettings = defaultGitSettings): RefLister =>
  async (question, signal) => {
    const deadline = AbortSignal.timeout(settings.deadlineSeconds * 1000);
    try {
      return await ask(question, way, settings, signal === undefined ? deadline : AbortSignal.any([signal, deadline]));
    } catch (error) {
      throw named(question.url, error);
    }
  };
