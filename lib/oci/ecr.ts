/** Credentials of Amazon ECR by IAM, in the place of the helper kpack runs (spec 04 §10 row 6; spec 06: tokens live 12 h, per account and region). */
import { networkCause } from '../errors/network-cause.ts';
import { OciError } from './errors.ts';
import type { Authorization, Keychain } from './keychain.ts';

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

const classic = /^(\d{12})\.dkr\.ecr(-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/;
const dualStack = /^(\d{12})\.dkr-ecr(-fips)?\.([a-z0-9-]+)\.on\.(?:aws|amazonwebservices\.com\.cn)$/;

/** The ECR registry a host is; undefined for any other host, `public.ecr.aws` among them. */
export const ecrRegistryOf = (host: string): EcrRegistry | undefined => {
  const [, account, fips, region] = classic.exec(host) ?? dualStack.exec(host) ?? [];
  return account === undefined || region === undefined ? undefined : { account, region, fips: fips !== undefined };
};

/** A token is renewed this long before it ends, in ms. */
const marginMs = 30 * 60_000;
/** How long a refusal of AWS is believed, in ms: it would slow every image of the account else. */
const refusalMs = 30_000;

interface Kept {
  readonly untilMs: number;
  readonly answer: Promise<Authorization>;
}

/**
 * Knows ECR hosts and nobody else. Tokens belong to our identity and region, not to a repository: they are kept, and registries of other accounts
 * take them when their policies allow it. ECR serves nobody anonymously, so a failure is one: OciError `unauthorized`, naming host and cause.
 */
export const ecrKeychain = (getToken: GetEcrToken, now: () => number = Date.now): Keychain => {
  const kept = new Map<string, Kept>();

  const ask = async (key: string, host: string, registry: EcrRegistry): Promise<Authorization> => {
    try {
      const { username, password, expiresAtMs } = await getToken(registry);
      kept.set(key, {
        untilMs: expiresAtMs - marginMs,
        answer: Promise.resolve({ kind: 'basic', username, password }),
      });
      return { kind: 'basic', username, password };
    } catch (cause) {
      throw new OciError('unauthorized', `no ECR token for ${host}: ${networkCause(cause)}`, { cause });
    }
  };

  return async ({ registry: host }) => {
    const registry = ecrRegistryOf(host);
    if (registry === undefined) return undefined;
    const key = `${registry.region} ${registry.fips} ${registry.account}`;
    const known = kept.get(key);
    if (known !== undefined && known.untilMs > now()) return known.answer;
    const answer = ask(key, host, registry);
    kept.set(key, { untilMs: now() + refusalMs, answer });
    return answer;
  };
};
