/** Did somebody who knows the secret send this? Compared in constant time; the older secret of a change-over is accepted too. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { HookRequest, Provider } from './request.ts';
import type { HookScope, HookSecret } from './secrets.ts';

/** How a request was proven: by a signature over its body, or by a token that says nothing about the body. */
export type Proof = 'signature' | 'token';

const SIGNATURE_HEADERS: Readonly<Record<Provider, readonly string[]>> = {
  github: ['x-hub-signature-256'],
  gitea: ['x-gitea-signature', 'x-forgejo-signature', 'x-hub-signature-256'],
  gitlab: [],
  bitbucket: ['x-hub-signature'],
  generic: ['x-hub-signature-256'],
};

const tokenOf = (provider: Provider, headers: HookRequest['headers']): string | undefined => {
  if (provider === 'gitlab') return headers['x-gitlab-token'];
  if (provider !== 'generic') return undefined;
  return /^Bearer +(?<token>\S+)$/iu.exec(headers['authorization'] ?? '')?.groups?.['token'];
};

const hash = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Equal length first: what is compared are digests. */
const isSameText = (a: string, b: string): boolean => timingSafeEqual(hash(a), hash(b));

/** HMAC-SHA-256 as 64 hex digits, with or without `sha256=` before it. SHA-1, which GitHub sends beside it, is not taken. */
const digestIn = (given: string): readonly Buffer[] => {
  const digits = /^(?:sha256=)?(?<digits>[0-9a-f]{64})$/iu.exec(given)?.groups?.['digits'];
  return digits === undefined ? [] : [Buffer.from(digits, 'hex')];
};

/** What a request proves: that its sender knows secrets for these scopes. */
export interface Proven {
  readonly by: Proof;
  readonly scopes: readonly HookScope[];
}

/** How the request proves that it comes from somebody who knows some of `secrets`; undefined when it does not. All are tried. */
export const proofOf = (
  provider: Provider,
  { headers, body }: Pick<HookRequest, 'body' | 'headers'>,
  secrets: readonly HookSecret[],
): Proven | undefined => {
  const signatures = SIGNATURE_HEADERS[provider].flatMap((name) => digestIn(headers[name] ?? ''));
  const token = tokenOf(provider, headers);
  const scopesOf = (knows: (secret: string) => boolean): readonly HookScope[] =>
    secrets.filter(({ secret }) => secret !== '' && knows(secret)).map(({ scope }) => scope);

  const signed = scopesOf((secret) => {
    if (signatures.length === 0) return false;
    const expected = createHmac('sha256', secret).update(body).digest();
    return signatures.some((given) => timingSafeEqual(given, expected));
  });
  if (signed.length > 0) return { by: 'signature', scopes: signed };
  const named = scopesOf((secret) => token !== undefined && isSameText(token, secret));
  return named.length === 0 ? undefined : { by: 'token', scopes: named };
};
