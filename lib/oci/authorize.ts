/**
 * Sends a request with whatever the registry wants to see (distribution "Token Authentication"; spec 04 §9.3): the kept token → on 401 the
 * challenge → a new token, once for all who wait → the request again, once. Credentials go to the registry and its token service only.
 */
import { basicAuthorization, bearerAuthorization } from '../secrets/authorization.ts';
import { orAborted } from './abort.ts';
import { type Challenge, parseChallenge } from './challenge.ts';
import { isOciError, OciError } from './errors.ts';
import { discard, type HttpRequest, type HttpResponse, type Send } from './http.ts';
import { introduced } from './introduce.ts';
import type { Authorization } from './keychain.ts';
import { withoutCredential } from './response-error.ts';
import { uniteScopes } from './scope.ts';
import type { Session } from './session.ts';
import { fetchToken, type Token } from './token.ts';
import type { TokenKey } from './token-cache.ts';

/** On whose behalf and for what a request is made. */
interface Grant {
  /** Host (and port) of the registry the credential is for. */
  readonly registry: string;
  readonly authorization: Authorization | undefined;
  /** Why there is none, for the message of a refusal; empty when there is nothing to say. */
  readonly anonymousBecause: () => string;
  readonly scopes: readonly string[];
}

/** A `Send` that knows on whose behalf. */
export type AuthorizedSend = (request: HttpRequest, grant: Grant) => Promise<HttpResponse>;

interface Attempt {
  readonly header: string | undefined;
  readonly token?: { readonly key: TokenKey; readonly value: string };
}

/** Wraps a `Send`, which is used for token services as well. */
export const authorizing = (send: Send, session: Session): AuthorizedSend => {
  const attemptFor = async (challenge: Challenge | undefined, request: HttpRequest, grant: Grant): Promise<Attempt> => {
    const { registry, authorization } = grant;
    if (authorization?.kind === 'registry-token') return { header: bearerAuthorization(authorization.token) };
    if (challenge?.scheme === 'basic' && authorization?.kind === 'basic') {
      return { header: basicAuthorization(authorization) };
    }
    if (challenge?.scheme !== 'bearer') return { header: undefined };
    const { realm, service } = challenge;
    const scopes = uniteScopes(grant.scopes, challenge.scopes);
    const key: TokenKey = { registry, service, scopes, authorization };
    const fetch = (): Promise<Token> =>
      fetchToken(send, { registryUrl: request.url, realm, service, scopes, authorization }, session.now);
    const { value } = await orAborted(session.tokens.get(key, fetch), request.signal);
    return { header: bearerAuthorization(value), token: { key, value } };
  };

  const sendWith = (request: HttpRequest, { header }: Attempt): Promise<HttpResponse> =>
    send(header === undefined ? request : { ...request, headers: { ...request.headers, authorization: header } });

  const answer = async (request: HttpRequest, grant: Grant): Promise<HttpResponse> => {
    // A place the registry sent us to (an upload location on another host) gets no credential; its URL carries what it needs.
    if (request.url.host !== grant.registry) return send(request);
    if (wantsChallenge(grant.authorization)) await introduced(send, session, request);
    const known = session.challenges.get(grant.registry);
    const first = await attemptFor(withoutScopes(known), request, grant);
    const response = await sendWith(request, first);
    if (response.status !== 401) return response;
    const challenge = parseChallenge(response.headers.get('www-authenticate'));
    // A redirect may have led elsewhere: that host's challenge is none of ours.
    if (challenge === undefined || response.url.host !== grant.registry) return response;
    session.challenges.set(grant.registry, challenge);
    if (first.token !== undefined) session.tokens.drop(first.token.key, first.token.value);
    if (challenge.scheme === 'basic' && (first.header !== undefined || grant.authorization?.kind !== 'basic'))
      return response;
    if (grant.authorization?.kind === 'registry-token') return response;
    await discard(response);
    return sendWith(request, await attemptFor(challenge, request, grant));
  };
  return async (request, grant) => {
    if (grant.authorization !== undefined) return answer(request, grant);
    try {
      const response = await answer(request, grant);
      const refused = response.status === 401 || response.status === 403;
      return { ...response, anonymous: refused ? grant.anonymousBecause() : '' };
    } catch (error) {
      // The token service may be the one that refuses. Others wait for the same token, each with reasons of its own.
      if (!isOciError(error, 'unauthorized') && !isOciError(error, 'denied')) throw error;
      const { code, message, status, errors } = error;
      const because = withoutCredential(grant.registry, grant.anonymousBecause());
      throw new OciError(code, `${message}${because}`, { status, errors, cause: error });
    }
  };
};

/** Without a challenge it is not known how to show it. One that is shown in any case needs none, and who has none shows none. */
const wantsChallenge = (authorization: Authorization | undefined): boolean =>
  authorization !== undefined && authorization.kind !== 'registry-token';

/** A remembered challenge tells where the token service is; the scopes it asked for belonged to another request. */
const withoutScopes = (challenge: Challenge | undefined): Challenge | undefined =>
  challenge?.scheme === 'bearer' ? { ...challenge, scopes: [] } : challenge;
