import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type Server } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { BasicCredential } from '../../../lib/git/credentials.ts';
import { GitError } from '../../../lib/git/errors.ts';
import { retryAfterSecondsFrom } from '../../../lib/git/http-errors.ts';
import { refLister } from '../../../lib/git/list-refs.ts';
import { linePacket, type Packet, writePacket } from '../../../lib/git/pkt-line.ts';
import { parseGitUrl } from '../../../lib/git/url.ts';
import { openGitWay } from '../../support/open-egress.ts';
import { selfSigned } from '../../support/self-signed.ts';

const HASH = '001e282370d2a600d3682c21849959be29c4dd8e';
const ADVERTISEMENT = 'application/x-git-upload-pack-advertisement';

const lines = (...texts: readonly (string | undefined)[]): Buffer =>
  Buffer.concat(
    texts.map((text): Packet => (text === undefined ? { kind: 'flush' } : linePacket(text))).map(writePacket),
  );

interface Seen {
  readonly path: string;
  readonly authorization: string | undefined;
}

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

const listen = async (server: Server): Promise<string> => {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `127.0.0.1:${address.port}`;
};

const serve = async (answer: (request: IncomingMessage, response: ServerResponse) => void) => {
  const seen: Seen[] = [];
  const host = await listen(
    createServer((request, response) => {
      seen.push({ path: request.url ?? '', authorization: request.headers.authorization });
      response.setHeader('connection', 'close');
      answer(request, response);
    }),
  );
  return { host, seen };
};

const old = (response: ServerResponse, ...texts: readonly (string | undefined)[]): void => {
  response
    .writeHead(200, { 'content-type': ADVERTISEMENT })
    .end(lines('# service=git-upload-pack', undefined, ...texts));
};

const login: BasicCredential = { kind: 'basic', secretName: 'github', username: 'me', password: 'hunter2' };
const list = (url: string, credential?: BasicCredential, deadlineSeconds = 5) =>
  refLister(openGitWay, { deadlineSeconds, trustUnknownHosts: true })({
    url: parseGitUrl(url),
    prefixes: [],
    credential,
  });

describe('a git host over http', () => {
  it.each([
    [401, {}, 'unauthorized', 'slow', undefined],
    [403, {}, 'forbidden', 'slow', undefined],
    [403, { 'retry-after': '60' }, 'throttled', 'soon', 60],
    [404, {}, 'not-found', 'slow', undefined],
    [410, {}, 'not-found', 'slow', undefined],
    [429, { 'retry-after': '7' }, 'throttled', 'soon', 7],
    [429, {}, 'throttled', 'soon', undefined],
    [500, {}, 'host-unreachable', 'soon', undefined],
    [503, { 'retry-after': '120' }, 'throttled', 'soon', 120],
    [418, {}, 'protocol', 'slow', undefined],
  ])('that answers %i %o fails with %s, tried again %s', async (status, headers, code, pace, retryAfterSeconds) => {
    const { host } = await serve((_, response) => response.writeHead(status, headers).end('no'));
    await expect(list(`http://${host}/r.git`, login)).rejects.toMatchObject({ code, pace, retryAfterSeconds });
  });

  it('counts against its circuit only when not a byte came back, whatever it answers', async () => {
    const { host } = await serve((request, response) => {
      const status = Number(request.url?.slice(1, 4));
      if (status === 0) return;
      if (status === 200)
        response.writeHead(200, { 'content-type': ADVERTISEMENT }).write(lines(`${HASH} refs/heads/main`));
      else response.writeHead(status).end();
    });
    const counted = async (status: number): Promise<unknown> => {
      const error: unknown = await list(`http://${host}/${String(status).padStart(3, '0')}.git`, undefined, 0.3).catch(
        (e: unknown) => e,
      );
      return error instanceof GitError ? [error.code, error.host] : error;
    };
    expect(await counted(502)).toEqual(['host-unreachable', undefined]);
    expect(await counted(500)).toEqual(['host-unreachable', undefined]);
    expect(await counted(403)).toEqual(['forbidden', undefined]);
    expect(await counted(200)).toEqual(['timeout', undefined]);
    expect(await counted(0)).toEqual(['timeout', host]);
  });

  it('is told which Secret it refused, and the user which one it wants', async () => {
    const { host } = await serve((_, response) => response.writeHead(401).end());
    await expect(list(`http://${host}/r.git`, login)).rejects.toThrow(/credentials of Secret github \(HTTP 401\)/);
    await expect(list(`http://${host}/r.git`)).rejects.toThrow(`annotated kpack.io/git: http://${host}`);
    await expect(list(`http://me:hunter2@${host}/r.git`)).rejects.toThrow(/with the credentials in the URL/);
  });

  it('gets the credentials at once, those of the Secret before those of the URL', async () => {
    const { host, seen } = await serve((_, response) => old(response, `${HASH} refs/heads/main`, undefined));
    await list(`http://${host}/r.git`, login);
    await list(`http://you:secret@${host}/r.git`, login);
    await list(`http://you:secret@${host}/r.git`);
    await list(`http://${host}/r.git`);
    const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
    expect(seen.map(({ authorization }) => authorization)).toEqual([
      basic('me:hunter2'),
      basic('me:hunter2'),
      basic('you:secret'),
      undefined,
    ]);
  });

  it('may redirect within itself, credentials included', async () => {
    const { host, seen } = await serve((request, response) => {
      if (request.url?.startsWith('/new') === true) old(response, `${HASH} refs/heads/main`, undefined);
      else response.writeHead(301, { location: '/new.git/info/refs?service=git-upload-pack' }).end();
    });
    expect(await list(`http://${host}/old.git`, login)).toEqual([{ name: 'refs/heads/main', hash: HASH }]);
    expect(seen.every(({ authorization }) => authorization !== undefined)).toBe(true);
  });

  it('may redirect to another host, which gets no credentials', async () => {
    const other = await serve((_, response) => old(response, `${HASH} refs/heads/main`, undefined));
    const { host } = await serve((_, response) =>
      response
        .writeHead(302, { location: `http://thief:x@${other.host}/r.git/info/refs?service=git-upload-pack` })
        .end(),
    );
    await list(`http://${host}/r.git`, login);
    expect(other.seen).toEqual([{ path: '/r.git/info/refs?service=git-upload-pack', authorization: undefined }]);
  });

  it.each([
    ['in circles', '/r.git/info/refs?service=git-upload-pack', /redirects more than 20 times/],
    ['to what is no host', 'https://', /without saying where/],
    ['to another scheme', 'file:///etc/passwd', /what is not https, which is not followed/],
    ['to nowhere', undefined, /without saying where/],
    ['to an empty place', '', /without saying where/],
  ])('that redirects %s is refused', async (_, location, message) => {
    const { host } = await serve((_request, response) =>
      response.writeHead(302, location === undefined ? {} : { location }).end(),
    );
    await expect(list(`http://${host}/r.git`)).rejects.toThrow(message);
    await expect(list(`http://${host}/r.git`)).rejects.toMatchObject({ code: 'protocol' });
  });

  it.each([
    ['a web page', 'text/html', '<html>', /is not a git repository: it did not answer application/],
    ['rubbish of the right type', ADVERTISEMENT, '<html>', /not a pkt-line/],
    ['a line that is no ref', ADVERTISEMENT, lines('hello', undefined), /no ref/],
    ['version 2 without ls-refs', ADVERTISEMENT, lines('version 2', 'fetch', undefined), /does not offer ls-refs/],
  ])('that answers %s is refused', async (_, type, body, message) => {
    const { host } = await serve((_request, response) => response.writeHead(200, { 'content-type': type }).end(body));
    await expect(list(`http://${host}/r.git`)).rejects.toThrow(message);
    await expect(list(`http://${host}/r.git`)).rejects.toMatchObject({ code: 'protocol', pace: 'slow' });
  });

  it('whose connection breaks in the middle is tried again soon', async () => {
    const { host } = await serve((_, response) =>
      response.writeHead(200, { 'content-type': ADVERTISEMENT }).end(lines(`${HASH} refs/heads/main`)),
    );
    await expect(list(`http://${host}/r.git`)).rejects.toMatchObject({ code: 'host-unreachable', pace: 'soon' });
  });

  it('whose packed answer is not wanted to its end does no harm', async () => {
    const complaint = lines('ERR Repository not found', ...Array.from({ length: 2000 }, () => `${HASH} refs/heads/x`));
    for (const packed of [gzipSync(complaint), Buffer.from('no gzip'), gzipSync(complaint).subarray(0, 60)])
      for (const status of [200, 404]) {
        const { host } = await serve((_, response) =>
          response.writeHead(status, { 'content-type': ADVERTISEMENT, 'content-encoding': 'gzip' }).end(packed),
        );
        await expect(list(`http://${host}/r.git`)).rejects.toBeInstanceOf(GitError);
      }
  });

  it.each([
    ['br', /its answer is in an encoding that was not asked for; check the URL/],
    ['gzip', /what it sends as gzip is damaged; check the URL/],
  ])('whose answer cannot be unpacked is told: %s', async (encoding, message) => {
    const { host } = await serve((_, response) =>
      response.writeHead(200, { 'content-type': ADVERTISEMENT, 'content-encoding': encoding }).end('unpackable'),
    );
    await expect(list(`http://${host}/r.git`)).rejects.toThrow(message);
  });

  it('that breaks off is told apart from one that cannot be reached, and from where it redirects to', async () => {
    const { host } = await serve((_, response) => {
      response.writeHead(200, { 'content-type': ADVERTISEMENT, 'content-length': '1000' });
      response.write('001e');
      setTimeout(() => response.destroy(), 20);
    });
    await expect(list(`http://${host}/r.git`)).rejects.toMatchObject({
      code: 'host-unreachable',
      heard: 'something',
      message: `${host} broke off the connection within an answer (ECONNRESET); it is asked again`,
    });
    const elsewhere = await serve((_, response) =>
      response.writeHead(302, { location: 'http://127.0.0.1:1/r.git/info/refs?service=git-upload-pack' }).end(),
    );
    await expect(list(`http://${elsewhere.host}/r.git`)).rejects.toMatchObject({
      heard: 'something',
      message: `127.0.0.1:1, to which ${elsewhere.host} redirects, cannot be reached (ECONNREFUSED); check the host name and the network`,
    });
  });

  it.each([
    [['Negotiate'], 'Negotiate'],
    [['NTLM', 'Negotiate'], 'Negotiate'],
    [['Digest realm="git", nonce="1"'], 'Digest'],
  ])('that asks for a login by %j alone is told to take Basic', async (challenges, scheme) => {
    const { host } = await serve((_, response) => response.writeHead(401, { 'www-authenticate': challenges }).end());
    for (const credential of [undefined, login])
      await expect(list(`http://${host}/r.git`, credential)).rejects.toMatchObject({
        code: 'unauthorized',
        message: `http://${host}/r.git asks for a login by ${scheme} alone (HTTP 401), which is not spoken here; let it take Basic, with a token for git`,
      });
  });

  it.each([
    [['Negotiate', 'Basic realm="git"']],
    [['Bearer realm="x", Basic realm="git"']],
    [['Bearer realm="x"']],
    [[]],
  ])('that asks for a login by %j is shown one', async (challenges) => {
    const { host } = await serve((_, response) => response.writeHead(401, { 'www-authenticate': challenges }).end());
    await expect(list(`http://${host}/r.git`)).rejects.toThrow(/asks for credentials \(HTTP 401\); give the/);
  });

  it.each([
    ['text/plain', 'The git server, Gitaly, is not available at this time.', 'host-unreachable'],
    ['text/html', '<p>Request blocked. Try again later.', 'forbidden'],
    ['text/plain', 'You are not allowed to download code', 'forbidden'],
  ])(
    'that answers 403 for its own troubles is asked again soon, but for pages of firewalls: %s %s',
    async (type, text, code) => {
      const { host } = await serve((_, response) => response.writeHead(403, { 'content-type': type }).end(text));
      await expect(list(`http://${host}/r.git`)).rejects.toMatchObject({ code });
    },
  );

  it('whose port speaks the other of http and https is told so', async () => {
    const { host } = await serve((_, response) =>
      response.writeHead(400).end('<center>The plain HTTP request was sent to HTTPS port</center>'),
    );
    await expect(list(`http://${host}/r.git`)).rejects.toThrow(
      `http://${host}/r.git cannot be read (HTTP 400), as its port speaks https; correct the URL`,
    );
    await expect(list(`https://${host}/r.git`)).rejects.toMatchObject({
      code: 'tls',
      message: `${host} does not speak TLS on this port; write http:// or correct the port`,
    });
  });

  it('whose answer has no end is cut off', async () => {
    const line = Buffer.concat(Array.from({ length: 1000 }, () => lines(`${HASH} refs/heads/${'x'.repeat(900)}`)));
    const { host } = await serve((_, response) => {
      response.writeHead(200, { 'content-type': ADVERTISEMENT });
      const more = (): void => {
        while (!response.destroyed && response.write(line)) {
          // Until the socket is full.
        }
      };
      response.on('drain', more);
      more();
    });
    await expect(list(`http://${host}/r.git`, undefined, 30)).rejects.toThrow(/larger than 33554432 bytes/);
  });

  it('that complains in the protocol is quoted', async () => {
    const { host } = await serve((_, response) => old(response, 'ERR Repository not found.\n\u001B[31m'));
    await expect(list(`http://${host}/r.git`)).rejects.toMatchObject({
      code: 'not-found',
      message: `http://${host}/r.git cannot be read, its host says: Repository not found. [31m`,
    });
  });

  it('that says nothing in time is a time-out', async () => {
    const { host } = await serve(() => {
      // Never answers.
    });
    await expect(list(`http://${host}/r.git`, undefined, 0.1)).rejects.toMatchObject({ code: 'timeout', host });
  });

  it('that is not there is unreachable', async () => {
    const host = await listen(createTcpServer((socket) => socket.destroy()));
    await expect(list(`http://${host}/r.git`)).rejects.toMatchObject({ code: 'host-unreachable', host });
    await expect(list('http://127.0.0.1:1/r.git')).rejects.toThrow(/127\.0\.0\.1:1 cannot be reached \(/);
  });

  it('whose certificate nobody vouches for is a TLS failure, for people', async () => {
    const host = await listen(createTlsServer(await selfSigned()));
    await expect(list(`https://${host}/r.git`)).rejects.toMatchObject({ code: 'tls', pace: 'slow' });
  });

  it('never sees its credentials in a message', async () => {
    const { host } = await serve((_, response) => response.writeHead(404).end());
    const error: unknown = await list(`http://you:hunter2@${host}/r.git?token=hunter2`, login).catch((e: unknown) => e);
    expect(String(error)).toContain(`http://${host}/r.git does not exist`);
    expect(String(error)).not.toContain('hunter2');
  });

  it('over ssh is not asked without a key', async () => {
    await expect(list('git@127.0.0.1:r.git')).rejects.toMatchObject({ code: 'unauthorized' });
  });
});

describe('Retry-After', () => {
  const now = new Date('2026-01-01T00:00:00Z');
  it.each([
    [null, undefined],
    ['12', 12],
    ['Thu, 01 Jan 2026 00:01:00 GMT', 60],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['99999999', 3600],
    ['soon', undefined],
    ['1.5', 2],
    ['-1', undefined],
    ['3, 4', undefined],
    [' 7 ', 7],
  ])('%s is %s seconds', (header, expected) => {
    expect(retryAfterSecondsFrom(header, now)).toBe(expected);
  });
});
