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

/** `write` may read as well. */
export type Access = 'read' | 'write';

/** The one request that a credential is asked for: a keychain may know one for this use and none for that. */
export interface Use {
  /** GET and HEAD read; every other method writes. */
  readonly access: Access;
  /** Another repository of the registry that the request reads from (a mount). */
  readonly from?: Repository | undefined;
  /** Whether the address lies below the repository's own, `/v2/PATH/`: a registry may send an upload anywhere on its host. */
  readonly within: boolean;
}

/** Reading of the repository itself. */
export const reading: Use = { access: 'read', within: true };

/** The credential for one request to a repository; undefined means anonymous. Asked for each request, so it should be quick. */
export type Keychain = (repository: Repository, use: Use) => Promise<Authorization | undefined>;

/** One of the places where credentials are looked for, and what a person would do to have one there. */
export interface CredentialSource {
  readonly keychain: Keychain;
  /** Why there was none, as a short sentence; undefined where this place never has one for such a registry. */
  readonly missing: (repository: Repository, use: Use) => string | undefined;
}

/** No credentials for anybody. */
export const anonymous: Keychain = () => Promise.resolve(undefined);

/** The first keychain that knows a credential answers; a failure of one is final, as in kpack (spec 04 §10). */
export const firstOf =
  (...keychains: readonly Keychain[]): Keychain =>
  async (repository, use) => {
    for (const keychain of keychains) {
      const found = await keychain(repository, use);
      if (found !== undefined) return found;
    }
    return undefined;
  };
