/** One token from a token service (distribution "Token Authentication" and "OAuth2 Token Authentication"; spec 04 §9.3). */
import { basicAuthorization } from '../secrets/authorization.ts';
import { parseJson } from '../text/bounded-json.ts';
import { ToldUrl } from '../text/shown-url.ts';
import { invalidContent, OciError } from './errors.ts';
import { discard, type HttpRequest, type HttpResponse, readUpTo, replay, type Send } from './http.ts';
import type { Authorization } from './keychain.ts';
import { isPlainHttpAllowed } from './plain-http.ts';
import { responseError } from './response-error.ts';

/** A token, and until when (Unix ms) it may be used. */
export interface Token {
  readonly value: string;
  readonly expiresAtMs: number;
}

export interface TokenRequest {
  /** Where the challenge came from: a realm must not be less safe than it. */
  readonly registryUrl: URL;
  readonly realm: string;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  readonly authorization: Authorization | undefined;
}

/** Tokens are a few KiB; services that list every grant inside reach some hundred. */
const bodyLimitBytes = 1024 * 1024;
/** What the specification says when `expires_in` is absent. */
const defaultLifeSeconds = 60;
const clientId = 'kpackless';

/** The realm as a URL that a credential may be sent to: https, or http when the registry itself is a private one spoken to in the clear. */
const realmUrl = ({ registryUrl, realm }: TokenRequest): URL => {
  const url = URL.canParse(realm) ? new ToldUrl(realm) : undefined;
  const hosts = [registryUrl.host, url?.host ?? ''];
  const clear = url?.protocol === 'http:' && registryUrl.protocol === 'http:' && hosts.every(isPlainHttpAllowed);
  if (url !== undefined && (url.protocol === 'https:' || clear)) return url;
  const because = url?.protocol === 'http:' ? 'it is spoken to by plain http' : 'its realm is no https URL';
  throw invalidContent(`${registryUrl.host} names a token service that no credential may be sent to: ${because}`);
};

const getRequest = (request: TokenRequest): HttpRequest => {
  const url = realmUrl(request);
  for (const scope of request.scopes) url.searchParams.append('scope', scope);
  if (request.service !== undefined) url.searchParams.set('service', request.service);
  const { authorization } = request;
  const headers = authorization?.kind === 'basic' ? { authorization: basicAuthorization(authorization) } : {};
  return { method: 'GET', url, headers };
};

const postRequest = (request: TokenRequest, refreshToken: string): HttpRequest => {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    client_id: clientId,
    scope: request.scopes.join(' '),
    ...(request.service === undefined ? {} : { service: request.service }),
  });
  return {
    method: 'POST',
    url: realmUrl(request),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: replay(Buffer.from(form.toString())),
    staysAtOrigin: true,
  };
};

/** Sends the credential to the token service. No caller's signal: others may be waiting for the same token. */
export const fetchToken = async (send: Send, request: TokenRequest, now: () => number): Promise<Token> => {
  const { authorization } = request;
  const askedAtMs = now();
  const first =
    authorization?.kind === 'identity-token' ? postRequest(request, authorization.token) : getRequest(request);
  let response = await send(first);
  if (first.method === 'POST' && response.status === 404) {
    await discard(response);
    response = await send(getRequest(request));
  }
  if (response.status !== 200) throw await responseError(first.method, response, now());
  return readToken(response, askedAtMs);
};

const readToken = async (response: HttpResponse, askedAtMs: number): Promise<Token> => {
  const bytes = await readUpTo(response.body, bodyLimitBytes);
  const parsed = parseObject(bytes);
  const value = [parsed['access_token'], parsed['token']].find((text) => typeof text === 'string' && text !== '');
  // Header injection and nonsense alike: a token is visible ASCII (RFC 6750 §2.1 is stricter still).
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) {
    throw new OciError('invalid-content', 'no token in bearer response', { method: 'GET', url: response.url });
  }
  const life = parsed['expires_in'];
  const lifeSeconds = typeof life === 'number' && life > 0 ? life : defaultLifeSeconds;
  // Counted from before the question, and a tenth shorter: clocks and slow answers must not let us use a dead token.
  return { value, expiresAtMs: askedAtMs + lifeSeconds * 900 };
};

const parseObject = (bytes: Uint8Array | undefined): Readonly<Record<string, unknown>> => {
  try {
    const parsed = parseJson(new TextDecoder().decode(bytes), { mostCharacters: bodyLimitBytes });
    return typeof parsed === 'object' && parsed !== null ? (parsed as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
};
