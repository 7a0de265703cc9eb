/** Credentials of Amazon ECR by IAM, in the place of the helper kpack runs (spec 04 §10 row 6; spec 06: tokens live 12 h, per account and region). */
import { networkCause } from '../errors/network-cause.ts';
import { OciError } from './errors.ts';
import { keptAnswers } from './kept-answers.ts';
import type { Authorization, Keychain } from './keychain.ts';
import { canonicalHost } from './reference.ts';

/** A registry of ECR, read off its host. */
export interface EcrRegistry {
  readonly account: string;
  readonly region: string;
  readonly fips: boolean;
}

/** What GetAuthorizationToken answers. */
export interface EcrToken {
  readonly username: string;
  readonly password: string;
  /** Unix ms. */
  readonly expiresAtMs: number;
}

/** Asks AWS, with whatever identity the process has. Throws any error. */
export type GetEcrToken = (registry: EcrRegistry) => Promise<EcrToken>;

/** The region goes into names of hosts that are asked for tokens: nothing but a region may. */
const isRegion = (text: string): boolean => /^[a-z]{2,4}(?:-[a-z]{2,12}){1,3}-\d{1,2}$/.test(text);
const classic = /^(\d{12})\.dkr\.ecr(-fips)?\.([a-z\d-]{1,64})\.amazonaws\.com(?:\.cn)?$/;
const dualStack = /^(\d{12})\.dkr-ecr(-fips)?\.([a-z\d-]{1,64})\.on\.(?:aws|amazonwebservices\.com\.cn)$/;

/** The ECR registry a host is; undefined for any other host, `public.ecr.aws` among them. */
export const ecrRegistryOf = (host: string): EcrRegistry | undefined => {
  const name = canonicalHost(host);
  const [, account, fips, where] = classic.exec(name) ?? dualStack.exec(name) ?? [];
  return account === undefined || where === undefined || !isRegion(where)
    ? undefined
    : { account, region: where, fips: fips !== undefined };
};

/** A token is renewed this long before it ends, in ms. */
const marginMs = 30 * 60_000;
/** How long a refusal of AWS is believed, in ms. */
const refusalMs = 30_000;
/** Registries whose tokens one keychain keeps: what an author of image names makes up must not fill the memory. */
const mostTokens = 200;

/**
 * Knows ECR hosts and nobody else. Tokens belong to one identity and region, not to a repository: they are kept, and registries of other accounts
 * take them when their policies allow it. ECR serves nobody anonymously, so a failure is one: OciError `unauthorized`, naming host and cause.
 */
export const ecrKeychain = (getToken: GetEcrToken, now: () => number = Date.now): Keychain => {
  const kept = keptAnswers<Authorization>({ most: mostTokens, failureMs: refusalMs, now });
  return async ({ registry: host }) => {
    const registry = ecrRegistryOf(host);
    if (registry === undefined) return undefined;
    return kept(`${registry.region} ${registry.fips} ${registry.account}`, async () => {
      try {
        const { username, password, expiresAtMs } = await getToken(registry);
        return { value: { kind: 'basic', username, password }, untilMs: expiresAtMs - marginMs };
      } catch (cause) {
        throw new OciError('unauthorized', `no ECR token for ${host}: ${networkCause(cause)}`, { cause });
      }
    });
  };
};
