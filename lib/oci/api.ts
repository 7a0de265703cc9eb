/** One call of the distribution API: scheme, address, credential and scope put together over the layers below (distribution-spec "API"). */
import { authorizing } from './authorize.ts';
import { isOciError, OciError } from './errors.ts';
import { type FetchSendOptions, fetchSend } from './fetch-send.ts';
import type { Known } from './head-truth.ts';
import type { HttpRequest, HttpResponse, Method, Replayable } from './http.ts';
import { type Access, anonymous, type Keychain, type Use } from './keychain.ts';
import { following } from './redirect.ts';
import type { Repository } from './reference.ts';
import type { CallOptions } from './registry.ts';
import { type RetryOptions, retrying } from './retry.ts';
import { schemeOf } from './scheme.ts';
import { type Action, scopeFor } from './scope.ts';
import { createSession, type Session } from './session.ts';

/** How to reach registries; all of it has defaults. */
export interface RegistryOptions {
  readonly keychain?: Keychain | undefined;
  /** Why the keychain knows no credential, as a sentence; asked and told when a registry wants one. */
  readonly anonymousBecause?: ((repository: Repository, use: Use) => string | undefined) | undefined;
  /** A client opened for reading sends nothing but GET and HEAD, whatever its credentials would allow. For writing unless given. */
  readonly access?: Access | undefined;
  /** Who reads, as a text of the caller's: what one has read is remembered for the same alone. Nothing is remembered unless given. */
  readonly reader?: string | undefined;
  /** Shared by all passes of a process; a fresh one unless given. */
  readonly session?: Session | undefined;
  readonly transport?: FetchSendOptions | undefined;
  readonly retry?: RetryOptions | undefined;
  /** Size of a piece, in bytes, for registries that will not take a blob whole; one piece is held in memory. 8 MiB unless given. */
  readonly chunkBytes?: number | undefined;
}

interface Call extends CallOptions {
  readonly method: Method;
  /** Below `/v2/PATH/`, or a whole URL that the registry told us to go to. */
  readonly to: string | URL;
  readonly actions: readonly Action[];
  /** Repository of the same registry to pull from as well (mounts). */
  readonly alsoPull?: Repository | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Replayable | undefined;
  readonly once?: boolean | undefined;
}

export interface Api {
  readonly session: Session;
  readonly retry: RetryOptions;
  readonly chunkBytes: number;
  /** Something that was there when it was last asked for, or was put there, by host. */
  readonly known: Map<string, Known>;
  /** Sends the call; an error status is an answer. */
  readonly call: (repository: Repository, call: Call) => Promise<HttpResponse>;
}

const userAgent = 'kpackless';

export const createApi = ({
  keychain = anonymous,
  anonymousBecause = () => undefined,
  access = 'write',
  session = createSession(),
  transport = {},
  retry = {},
  chunkBytes = 8 * 1024 * 1024,
}: RegistryOptions): Api => {
  const plain = fetchSend(transport);
  const send = following(retrying(plain, { now: session.now, ...retry }));
  const authorized = authorizing(send, session);
  return {
    session,
    retry,
    chunkBytes,
    known: new Map(),
    call: async (repository, { method, to, actions, alsoPull, headers = {}, body, once, signal }) => {
      const scheme = await schemeOf(plain, repository.registry, session, signal);
      const base = new URL(`${scheme}//${repository.registry}/v2/${repository.path}/`);
      const url = typeof to === 'string' ? new URL(to, base) : to;
      const use: Use = {
        access: method === 'GET' || method === 'HEAD' ? 'read' : 'write',
        from: alsoPull,
        within: url.origin === base.origin && url.pathname.startsWith(base.pathname),
      };
      if (use.access === 'write' && access === 'read')
        throw new OciError('denied', 'this client was opened for reading only', { method, url });
      const request: HttpRequest = {
        method,
        url,
        // Blobs are compared byte by byte: nobody may unpack them on the way.
        headers: { 'user-agent': userAgent, 'accept-encoding': 'identity', ...headers },
        body,
        once,
        signal,
      };
      const scopes = [
        ...(alsoPull === undefined ? [] : [scopeFor(alsoPull, 'pull')]),
        scopeFor(repository, ...actions),
      ];
      try {
        const found = await keychain(repository, use);
        const isKept = found?.tlsOnly === true && url.protocol !== 'https:';
        return await authorized(request, {
          registry: base.host,
          authorization: isKept ? undefined : found,
          anonymousBecause: () =>
            isKept
              ? 'the one for it is annotated for https, and the registry speaks http'
              : (anonymousBecause(repository, use) ?? ''),
          scopes,
        });
      } catch (error) {
        // It may have moved from http to https: look again next time.
        if (isOciError(error, 'unreachable')) session.schemes.delete(repository.registry);
        throw error;
      }
    },
  };
};
