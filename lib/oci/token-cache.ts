/** Tokens kept per registry, scopes and credential (distribution token specification), and fetched once for all who ask at the same moment. */
import { createHash } from 'node:crypto';
import type { Authorization } from './keychain.ts';
import type { Token } from './token.ts';

/** Whose token for what. The credential takes part as a hash, so that no password lives on as a key. */
export interface TokenKey {
  readonly registry: string;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  readonly authorization: Authorization | undefined;
}

export interface TokenCache {
  /** The kept token, or the one `fetch` brings. A failure is not kept. */
  readonly get: (key: TokenKey, fetch: () => Promise<Token>) => Promise<Token>;
  /** Forgets a token that a registry refused, unless another has taken its place already. */
  readonly drop: (key: TokenKey, refused: string) => void;
}

const mostTokens = 2000;

const keyOf = ({ registry, service, scopes, authorization }: TokenKey): string => {
  const identity = createHash('sha256')
    .update(JSON.stringify(authorization ?? null))
    .digest('base64');
  return JSON.stringify([registry, service ?? '', scopes, identity]);
};

/** An empty cache; the oldest entry goes when it is full. */
export const createTokenCache = (now: () => number): TokenCache => {
  const kept = new Map<string, Token>();
  const underWay = new Map<string, Promise<Token>>();
  const start = async (key: string, fetch: () => Promise<Token>): Promise<Token> => {
    try {
      const token = await fetch();
      const oldest = kept.size >= mostTokens ? kept.keys().next().value : undefined;
      if (oldest !== undefined) kept.delete(oldest);
      kept.set(key, token);
      return token;
    } finally {
      underWay.delete(key);
    }
  };
  return {
    get: (name, fetch) => {
      const key = keyOf(name);
      const found = kept.get(key);
      if (found !== undefined && found.expiresAtMs > now()) return Promise.resolve(found);
      const running = underWay.get(key) ?? start(key, fetch);
      underWay.set(key, running);
      return running;
    },
    drop: (name, refused) => {
      const key = keyOf(name);
      if (kept.get(key)?.value === refused) kept.delete(key);
    },
  };
};
