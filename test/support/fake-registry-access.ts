/** Access to the fake registry: nobody asked, Basic, or Bearer tokens from its own `/token`. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Answer } from './fake-registry-api.ts';

/** Who may come in. `users` maps names to passwords. */
export type Access =
  | { readonly kind: 'basic'; readonly users: Readonly<Record<string, string>> }
  | {
      readonly kind: 'token';
      readonly users: Readonly<Record<string, string>>;
      /** Identity tokens taken by POST, as `docker login` leaves them. */
      readonly identityTokens?: readonly string[];
      /** True: tokens to pull are given to anybody. */
      readonly anonymousPull?: boolean;
      readonly lifeSeconds?: number;
      /** Another token service than our own, to see who follows it. */
      readonly realm?: string;
    };

export interface AccessControl {
  /** The refusal, or undefined when the request may go on. */
  readonly check: (request: IncomingMessage, url: URL) => Answer | undefined;
  /** The answer of the token service, when the request is for it. */
  readonly token: (request: IncomingMessage, url: URL, body: Buffer) => Answer | undefined;
  readonly expire: () => void;
}

const refusal = (status: number, code: string, challenge?: string): Answer => ({
  status,
  headers: {
    'content-type': 'application/json',
    ...(challenge === undefined ? {} : { 'www-authenticate': challenge }),
  },
  body: Buffer.from(
    JSON.stringify({
      errors: [{ code, message: code === 'DENIED' ? 'requested access denied' : 'authentication required' }],
    }),
  ),
});

const known = (users: Readonly<Record<string, string>>, header: string | undefined): boolean => {
  const [user = '', ...password] = Buffer.from(header?.replace(/^Basic /, '') ?? '', 'base64')
    .toString()
    .split(':');
  return header?.startsWith('Basic ') === true && users[user] === password.join(':');
};

const neededScope = (
  method: string | undefined,
  url: URL,
): { readonly path: string; readonly action: string } | undefined => {
  const path = /^\/v2\/(.+?)\/(?:manifests|blobs|tags)\//.exec(url.pathname)?.[1];
  if (path === undefined) return undefined;
  if (method === 'GET' || method === 'HEAD') return { path, action: 'pull' };
  return { path, action: method === 'DELETE' && !url.pathname.includes('/uploads/') ? 'delete' : 'push' };
};

export const accessControl = (auth: Access | undefined, now: () => number): AccessControl => {
  const given = new Map<string, { readonly scopes: readonly string[]; readonly untilMs: number }>();

  const allows = (scopes: readonly string[], path: string, action: string): boolean =>
    scopes.some((scope) => {
      const colon = scope.lastIndexOf(':');
      return (
        scope.slice(0, colon) === `repository:${path}` &&
        scope
          .slice(colon + 1)
          .split(',')
          .includes(action)
      );
    });

  const checkToken = (access: Access & { kind: 'token' }, request: IncomingMessage, url: URL): Answer | undefined => {
    const token = given.get(request.headers.authorization?.replace(/^Bearer /, '') ?? '');
    const needed = neededScope(request.method, url);
    if (
      token !== undefined &&
      token.untilMs > now() &&
      (needed === undefined || allows(token.scopes, needed.path, needed.action))
    ) {
      return undefined;
    }
    const scope = needed === undefined ? '' : `,scope="repository:${needed.path}:${needed.action}"`;
    const realm = access.realm ?? `http://${request.headers.host ?? ''}/token`;
    return refusal(401, 'UNAUTHORIZED', `Bearer realm="${realm}",service="fake registry"${scope}`);
  };

  const issue = (access: Access & { kind: 'token' }, scopes: readonly string[]): Answer => {
    const token = randomBytes(16).toString('hex');
    const life = access.lifeSeconds ?? 300;
    given.set(token, { scopes, untilMs: now() + life * 1000 });
    return {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify({ token, expires_in: life })),
    };
  };

  return {
    check: (request, url) => {
      if (auth === undefined || url.pathname === '/token') return undefined;
      if (auth.kind === 'token') return checkToken(auth, request, url);
      return known(auth.users, request.headers.authorization)
        ? undefined
        : refusal(401, 'UNAUTHORIZED', 'Basic realm="fake"');
    },
    token: (request, url, body) => {
      if (auth?.kind !== 'token' || url.pathname !== '/token') return undefined;
      const asked = url.searchParams.getAll('scope');
      if (request.method === 'POST') {
        const form = new URLSearchParams(body.toString());
        const accepted = auth.identityTokens?.includes(form.get('refresh_token') ?? '') === true;
        return accepted ? issue(auth, (form.get('scope') ?? '').split(' ')) : refusal(401, 'UNAUTHORIZED');
      }
      if (known(auth.users, request.headers.authorization)) return issue(auth, asked);
      if (request.headers.authorization !== undefined) return refusal(401, 'UNAUTHORIZED');
      const pullOnly = asked.map((scope) => scope.replace(/:[^:]*$/, ':pull'));
      return issue(auth, auth.anonymousPull === true ? pullOnly : []);
    },
    expire: () => given.clear(),
  };
};
