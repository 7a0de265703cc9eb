import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { guardedFetch } from '../../../lib/egress/guarded-fetch.ts';
import type { BasicCredential } from '../../../lib/git/credentials.ts';
import { GitError } from '../../../lib/git/errors.ts';
import type { CredentialOf } from '../../../lib/git/hop.ts';
import { refLister } from '../../../lib/git/list-refs.ts';
import { linePacket, writePacket } from '../../../lib/git/pkt-line.ts';
import { parseGitUrl } from '../../../lib/git/url.ts';
import { openGitWay } from '../../support/open-egress.ts';
import { selfSigned } from '../../support/self-signed.ts';

const HASH = '001e282370d2a600d3682c21849959be29c4dd8e';
const refs = Buffer.concat([
  writePacket(linePacket('# service=git-upload-pack')),
  writePacket({ kind: 'flush' }),
  writePacket(linePacket(`${HASH} refs/heads/main`)),
  writePacket({ kind: 'flush' }),
]);
const asGit = (response: ServerResponse): void =>
  void response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' }).end(refs);
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

interface Seen {
  readonly path: string;
  readonly login: string | undefined;
  readonly agent: string | undefined;
}

/** A host on loopback and what it was asked. */
const serve = async (
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  tls?: { readonly key: string; readonly cert: string },
) => {
  const seen: Seen[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const { authorization: login, 'user-agent': agent } = request.headers;
    seen.push({ path: request.url ?? '', login, agent });
    response.setHeader('connection', 'close');
    answer(request, response);
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { host, seen, url: `${tls === undefined ? 'http' : 'https'}://${host}` };
};

const moved =
  (to: () => string, status = 301) =>
  (request: IncomingMessage, response: ServerResponse): void =>
    void response.writeHead(status, { location: `${to()}${request.url ?? ''}` }).end();

const login: BasicCredential = { kind: 'basic', secretName: 'first', username: 'me', password: 'hunter2' };
const other: BasicCredential = { kind: 'basic', secretName: 'second', username: 'you', password: 'swordfish' };
const secretFor =
  (host: string): CredentialOf =>
  ({ authority }) =>
    Promise.resolve(authority === host ? other : undefined);

const list = (url: string, credential?: BasicCredential, credentialOf?: CredentialOf, way = openGitWay) =>
  refLister(way, { deadlineSeconds: 5, trustUnknownHosts: true })({
    url: parseGitUrl(url),
    prefixes: [],
    credential,
    credentialOf,
  });
const failureOf = async (work: Promise<unknown>): Promise<GitError> => {
  const error: unknown = await work.catch((found: unknown) => found);
  if (error instanceof GitError) return error;
  throw new Error(`no GitError but ${String(error)}`);
};

describe('a redirect to another host', () => {
  it('is followed with the credential of that host, which the first never sees', async () => {
    const next = await serve((_, response) => asGit(response));
    const first = await serve(moved(() => next.url));
    await list(`${first.url}/r.git`, login, secretFor(next.host));
    expect(first.seen.map((seen) => seen.login)).toEqual([basic('me:hunter2')]);
    expect(next.seen.map((seen) => seen.login)).toEqual([basic('you:swordfish')]);
  });

  it('is followed through several, each with its own', async () => {
    const third = await serve((_, response) => asGit(response));
    const second = await serve(moved(() => third.url, 307));
    const first = await serve(moved(() => second.url, 302));
    await list(`${first.url}/r.git`, login, secretFor(second.host));
    expect(third.seen.map((seen) => seen.login)).toEqual([undefined]);
  });

  it('that wants a login names that host, and the Secret that it would take', async () => {
    const next = await serve((_, response) => void response.writeHead(401).end());
    const first = await serve(moved(() => next.url));
    const failure = await failureOf(list(`${first.url}/r.git`, login));
    expect(failure).toMatchObject({ code: 'unauthorized', pace: 'slow' });
    expect(failure.message).toBe(
      `${first.url}/r.git redirects to ${next.url}, which asks for credentials (HTTP 401); give the ServiceAccount a kubernetes.io/basic-auth Secret annotated kpack.io/git: ${next.url}`,
    );
  });

  it('whose Secret is broken is told so, and not asked', async () => {
    const next = await serve((_, response) => asGit(response));
    const first = await serve(moved(() => next.url));
    const broken: CredentialOf = ({ authority }) =>
      Promise.reject(new GitError('credential-invalid', 'password of Secret second is not text', { host: authority }));
    expect(await failureOf(list(`${first.url}/r.git`, login, broken))).toMatchObject({ code: 'credential-invalid' });
    expect(next.seen).toEqual([]);
  });
});

describe('a redirect within a host', () => {
  it('keeps the login when it adds .git or renames, for the question after it too', async () => {
    const host = await serve((request, response) => {
      if (request.url?.startsWith('/new.git') === true) asGit(response);
      else response.writeHead(301, { location: '/new.git/info/refs?service=git-upload-pack' }).end();
    });
    await list(`${host.url}/old`, login);
    expect(host.seen.map((seen) => seen.login)).toEqual([basic('me:hunter2'), basic('me:hunter2')]);
  });

  it('keeps the login, of a Secret or of the URL, from http to https', async () => {
    const tls = await selfSigned();
    const way = { ...openGitWay, fetch: guardedFetch(() => undefined, { ca: tls.cert, plainHttp: 'anywhere' }) };
    const secure = await serve((_, response) => asGit(response), tls);
    const plain = await serve(moved(() => secure.url));
    await list(`${plain.url}/r.git`, login, undefined, way);
    await list(`http://u:p@${plain.host}/r.git`, undefined, undefined, way);
    expect(secure.seen.map((seen) => seen.login)).toEqual([basic('me:hunter2'), basic('u:p')]);
  });
});

describe('a user name in the URL', () => {
  const asking = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.headers.authorization === undefined) response.writeHead(401).end();
    else asGit(response);
  };

  it('without a password is no login where nobody asks for one', async () => {
    const host = await serve((_, response) => asGit(response));
    await list(`http://git@${host.host}/r.git`);
    expect(host.seen.map((seen) => seen.login)).toEqual([undefined]);
  });

  it('without a password is shown to a host that asks, once', async () => {
    const host = await serve(asking);
    await list(`http://token@${host.host}/r.git`);
    expect(host.seen.map((seen) => seen.login)).toEqual([undefined, basic('token:')]);
    const closed = await serve((_, response) => void response.writeHead(401).end());
    const failure = await failureOf(list(`http://token@${closed.host}/r.git`));
    expect(closed.seen).toHaveLength(2);
    expect(failure.message).toContain('refused to be read with the credentials in the URL (HTTP 401)');
  });

  it.each([
    [':token', ':token'],
    ['token:', 'token:'],
    ['me:p%25w%40', 'me:p%w@'],
  ])('and a password, even an empty one, are sent at once: %s', async (written, sent) => {
    const host = await serve(asking);
    await list(`http://${written}@${host.host}/r.git`);
    expect(host.seen.map((seen) => seen.login)).toEqual([basic(sent)]);
  });

  it('gives way to a Secret', async () => {
    const host = await serve(asking);
    await list(`http://you@${host.host}/r.git`, login);
    expect(host.seen.map((seen) => seen.login)).toEqual([basic('me:hunter2')]);
  });

  it.each(['100%', 'a%zz', '%e9'])('that holds a percent sign as it is, %s, is told how to write it', (password) => {
    expect(() => parseGitUrl(`https://me:${password}@h/r`)).toThrow(
      'has a percent sign that begins no escape of UTF-8; write the sign itself as %25',
    );
    expect(() => parseGitUrl(`https://me:${password}@h/r`)).not.toThrow(password);
  });
});

describe('a page to log in on', () => {
  it.each<[string, number, Readonly<Record<string, string>>, string]>([
    ['302 to single sign-on', 302, { location: 'https://sso.example.com/saml?back=/r.git' }, ''],
    ['302 to its own page', 302, { location: '/users/sign_in' }, ''],
    ['303 to somewhere', 303, { location: 'https://portal.example.com/welcome' }, ''],
    ['301 to a login', 301, { location: '/login' }, ''],
    ['203 of Azure DevOps', 203, { 'content-type': 'text/html' }, '<html>'],
    [
      '200 with a form',
      200,
      { 'content-type': 'text/html; charset=utf-8' },
      `<form><input type="password">${' '.repeat(9000)}`,
    ],
    ['200 with a title', 200, { 'Content-Type': 'Text/HTML' }, `<title>Sign in · Acme</title>${' '.repeat(9000)}`],
    ['200 with few words', 200, { 'content-type': 'text/html' }, '<html><body>Please log in first.</body></html>'],
  ])('in place of an answer is GitUnauthorized: %s', async (_, status, headers, body) => {
    const host = await serve((_request, response) => void response.writeHead(status, headers).end(body));
    const without = await failureOf(list(`${host.url}/r.git`));
    expect(without).toMatchObject({ code: 'unauthorized', pace: 'slow' });
    expect(without.message).toMatch(/to log in (?:on )?\(HTTP \d{3}\), as it wants a login; give the ServiceAccount/);
    const refused = await failureOf(list(`${host.url}/r.git`, login));
    expect(refused.message).toContain('as it does not take the credentials of Secret first; put a token there');
    expect(without.message + refused.message).not.toMatch(/saml|sign_in|welcome/);
  });

  it.each<[string, number, Readonly<Record<string, string>>, string, RegExp]>([
    [
      'a web page',
      200,
      { 'content-type': 'text/html' },
      `<title>Shop</title>${'x'.repeat(5000)} login`,
      /with a web page/,
    ],
    ['nothing', 200, {}, '', /did not answer application/],
    ['no content', 204, {}, '', /did not answer application/],
    ['a moved page', 301, { location: 'https://www.example.com/' }, '', /redirects to a page that is no repository/],
    ['plain refs', 200, { 'content-type': 'text/plain' }, `${HASH}\trefs/heads/main\n`, /git's dumb protocol/],
  ])('is not what a host shows that is no git host: %s', async (_, status, headers, body, why) => {
    const host = await serve((_request, response) => void response.writeHead(status, headers).end(body));
    const failure = await failureOf(list(`${host.url}/r.git`));
    expect(failure).toMatchObject({ code: 'protocol', message: expect.stringMatching(why) as string });
  });
});

describe('an HTTP answer', () => {
  it.each<[number, Readonly<Record<string, string>>, string, string, RegExp]>([
    [403, {}, 'You have exceeded a secondary rate limit', 'throttled', /asked again later/],
    [403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1' }, '', 'throttled', /asked again later/],
    [403, {}, 'The organization has enabled or enforced SAML SSO.', 'forbidden', /authorised for single sign-on/],
    [403, {}, 'Pulling over HTTP is not allowed.', 'forbidden', /allows git over ssh alone/],
    [
      401,
      {},
      'Support for password authentication was removed',
      'unauthorized',
      /takes a token in place of a password/,
    ],
    [451, {}, 'Repository unavailable due to DMCA takedown.', 'forbidden', /took the repository down/],
    [400, {}, 'TF401019: The Git repository does not exist', 'not-found', /check the URL and the credentials/],
    [407, {}, '', 'host-unreachable', /the proxy on the way to .* asks for a login/],
    [418, {}, 'short and stout', 'protocol', /is not an answer of a git host/],
  ])('%i %j %j means what it says', async (status, headers, body, code, why) => {
    const host = await serve((_, response) => void response.writeHead(status, headers).end(body));
    const failure = await failureOf(list(`${host.url}/r.git`, login));
    expect(failure.code).toBe(code);
    expect(failure.message).toMatch(why);
    expect(failure.heard).toBe('something');
  });

  it('is asked for as git asks, on every hop', async () => {
    const next = await serve((_, response) => asGit(response));
    const first = await serve(moved(() => next.url));
    await list(`${first.url}/r.git`);
    expect([...first.seen, ...next.seen].every(({ agent }) => agent?.startsWith('git/') === true)).toBe(true);
  });
});

describe('whatever a host answers', () => {
  it('is refs or a GitError, and no login goes to another host', async () => {
    const place = fc.constantFrom(
      '/r.git/info/refs',
      '/login',
      'https://h/x/info/refs',
      'https://other/x/info/refs',
      'http://h:81/info/refs',
      'gopher://h',
      '',
      '\u0000',
      '//other/info/refs?a=b',
    );
    const type = fc.constantFrom(
      'text/html',
      'text/plain',
      'application/x-git-upload-pack-advertisement',
      'APPLICATION/x',
      '',
    );
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.constant(new Uint8Array(refs)),
      fc.string().map((text) => new Uint8Array(Buffer.from(text))),
    );
    const status = fc.constantFrom(
      200,
      203,
      204,
      301,
      302,
      303,
      307,
      308,
      400,
      401,
      403,
      404,
      407,
      429,
      451,
      500,
      503,
      599,
    );
    const answers = fc.array(fc.record({ status, place, type, body }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(answers, async (all) => {
        const leaked: string[] = [];
        let count = 0;
        const fetch: typeof openGitWay.fetch = (url, { headers }) => {
          if (url.hostname !== 'h' && new Headers(headers).has('authorization')) leaked.push(url.href);
          const answer = all[count++ % all.length];
          if (answer === undefined) return Promise.reject(new Error('nothing is left to say'));
          const { status: code, place: location, type: contentType, body: bytes } = answer;
          const map = new Headers({ 'content-type': contentType });
          if (location !== '\u0000') map.set('location', location);
          return Promise.resolve({
            status: code,
            statusText: '',
            headers: map,
            body: ReadableStream.from([bytes]) as unknown as AsyncIterable<Uint8Array>,
            discard: () => undefined,
          } as never);
        };
        const found: unknown = await list('https://h/r.git', login, undefined, { ...openGitWay, fetch }).catch(
          (error: unknown) => error,
        );
        expect(Array.isArray(found) || found instanceof GitError).toBe(true);
        expect(String(found)).not.toContain('hunter2');
        expect(leaked).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
