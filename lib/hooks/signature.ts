/** Did somebody who knows the secret send this? Compared in constant time; the older secret of a change-over is accepted too. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { HookRequest, Provider } from './request.ts';

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
const isSigned = (given: string, body: Buffer, secret: string): boolean => {
  const digits = /^(?:sha256=)?(?<digits>[0-9a-f]{64})$/iu.exec(given)?.groups?.['digits'];
  if (digits === undefined) return false;
  return timingSafeEqual(Buffer.from(digits, 'hex'), createHmac('sha256', secret).update(body).digest());
};

/** How the request proves that it comes from somebody who knows one of `secrets`; undefined when it does not. */
export const proofOf = (
  provider: Provider,
  { headers, body }: Pick<HookRequest, 'body' | 'headers'>,
  secrets: readonly string[],
): Proof | undefined => {
  const usable = secrets.filter((secret) => secret !== '');
  const signatures = SIGNATURE_HEADERS[provider].flatMap((name) => headers[name] ?? []);
  if (signatures.some((given) => usable.some((secret) => isSigned(given, body, secret)))) return 'signature';
  const token = tokenOf(provider, headers);
  return token !== undefined && usable.some((secret) => isSameText(token, secret)) ? 'token' : undefined;
};
