/** What the registry client needs to know of credentials, and nothing more. Where they come from: credentials.ts, ecr.ts. */
import type { Repository } from './reference.ts';

/** How to prove who we are to one registry. */
export type Authorization = (
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** OAuth2 refresh token, exchanged for an access token at the registry's token service. */
  | { readonly kind: 'identity-token'; readonly token: string }
  /** Sent as it is, `Authorization: Bearer …`. */
  | { readonly kind: 'registry-token'; readonly token: string }
) & {
  /** It is for https alone: a registry that may be spoken to in the clear, and is, does not get it. */
  readonly tlsOnly?: true | undefined;
};

/** The credential for a repository; undefined means anonymous. Asked once per repository and request chain, so it should be quick. */
export type Keychain = (repository: Repository) => Promise<Authorization | undefined>;

/** No credentials for anybody. */
export const anonymous: Keychain = () => Promise.resolve(undefined);

/** The first keychain that knows a credential answers; a failure of one is final, as in kpack (spec 04 §10). */
export const firstOf =
  (...keychains: readonly Keychain[]): Keychain =>
  async (repository) => {
    for (const keychain of keychains) {
      const found = await keychain(repository);
      if (found !== undefined) return found;
    }
    return undefined;
  };
