import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseSourceMessage } from '../../../lib/builds/source-message.ts';
import { ExpectedError } from '../../../lib/errors/expected.ts';
import { fetchBlob } from '../../../lib/steps/prepare/blob-source.ts';
import { download } from '../../../lib/steps/prepare/download.ts';
import { type StepWorld, stepWorld } from '../../support/step-world.ts';
import { zipOf } from '../../support/zip.ts';

let server: Server;
let url = '';
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let requests: IncomingMessage[] = [];
let world: StepWorld;

const tar = await packTar([{ header: { name: 'testdir/testfile', size: 1, mtime: new Date(0) }, body: 'x' }]);

beforeEach(async () => {
  requests = [];
  answer = (_request, response) => response.end(tar);
  server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  world = await stepWorld();
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await world[Symbol.asyncDispose]();
});

const context = () => ({ ...world.paths, ...world.step([], {}), scratch: world.root });
const source = (more: object = {}) => ({ url: `${url}/a.tar`, auth: false, stripComponents: 0, secrets: [], ...more });

describe('a blob source', () => {
  it('03#136 is unpacked and recorded with its URL and checksum', async () => {
    await world.prepare({ BLOB_URL: `${url}/a.tar?x=1`, BLOB_AUTH: 'false', BLOB_STRIP_COMPONENTS: '0' });
    expect(await world.read('testdir/testfile')).toBe('x');
    expect(await world.metadata()).toBe(`[source]
  type = "blob"
  [source.metadata]
    url = "${url}/a.tar?x=REDACTED"
  [source.version]
    sha256sum = "${createHash('sha256').update(tar).digest('hex')}"
`);
    const id = createHash('sha256').update(tar).digest('hex');
    expect(parseSourceMessage(await world.terminationMessage())).toEqual({ type: 'blob', id });
    expect(world.log).toContain(`Successfully downloaded ${url.slice(7)}/a.tar in path "${world.paths.workspace}"`);
  });

  it('drops components when the Build says so', async () => {
    answer = (_request, response) => response.end(zipOf([{ name: 'top/inner.txt', content: 'x' }]));
    await world.prepare({ BLOB_URL: `${url}/a.zip`, BLOB_STRIP_COMPONENTS: '1' });
    expect(await world.files()).toStrictEqual(['inner.txt']);
  });

  it('03#134 tells that the host refused, and of its answer only a storage host’s code', async () => {
    answer = (_request, response) => response.writeHead(404).end('404 page not found\n');
    const failure = await fetchBlob(source(), context()).catch((error: Error) => error.message);
    expect(failure).toBe(`failed to get blob ${url}/a.tar: 404 Not Found`);
    expect(requests).toHaveLength(1);
  });

  it('tries again when the host is failing for a moment', async () => {
    answer = (_request, response) => {
      if (requests.length < 3) response.writeHead(503).end();
      else response.end(tar);
    };
    const options = { signal: AbortSignal.timeout(5000), retryAfterMilliseconds: [1, 1] };
    await download(new URL(url), `${world.root}/file`, options);
    expect(requests).toHaveLength(3);
  });

  it.each([
    ['gzip', gzipSync(tar), tar],
    ['GZIP', gzipSync(gzipSync(tar)), gzipSync(tar)],
    ['x-gzip', gzipSync(tar), gzipSync(tar)],
    ['identity', tar, tar],
    ['aws-chunked', tar, tar],
  ])('that the host sends as %s is what kpack makes of it', async (encoding, sent, stored) => {
    answer = (_request, response) => response.writeHead(200, { 'content-encoding': encoding }).end(sent);
    const sums: string[] = [];
    await fetchBlob(source(), { ...context(), fetched: ({ id }) => void sums.push(id) });
    expect(sums).toEqual([createHash('sha256').update(stored).digest('hex')]);
    expect(await world.read('testdir/testfile')).toBe('x');
    expect(requests[0]?.headers).toMatchObject({ 'accept-encoding': 'identity', 'user-agent': 'kpackless' });
  });

  it.each(['br', 'deflate'])(
    'that the host sends as %s, which nobody asked for, is refused by name',
    async (encoding) => {
      answer = (_request, response) => response.writeHead(200, { 'content-encoding': encoding }).end(tar);
      await expect(fetchBlob(source(), context())).rejects.toThrow(
        `failed to get blob ${url}/a.tar: it is sent in the encoding ${encoding}, which was not asked for and is not read`,
      );
    },
  );

  it('gives up on a host that falls silent', async () => {
    answer = (_request, response) => response.write('x');
    const options = { signal: AbortSignal.timeout(5000), retryAfterMilliseconds: [], silenceMilliseconds: 50 };
    await expect(download(new URL(url), `${world.root}/file`, options)).rejects.toThrow(/nothing received for 0.05 s/);
  });

  it('refuses more bytes than allowed', async () => {
    const options = { signal: AbortSignal.timeout(5000), maxBytes: 100 };
    await expect(download(new URL(url), `${world.root}/file`, options)).rejects.toThrow('is larger than 100 bytes');
  });

  it('03#137 sends no credentials unless asked to, and then those of the helper', async () => {
    await world.secret('s', { bearer: 'secret-token' });
    await fetchBlob(source({ secrets: ['s=127.0.0.1'] }), context());
    expect(requests[0]?.headers.authorization).toBeUndefined();
    const helper = () => Promise.resolve({ authorization: 'Bearer cloud', 'x-ms-version': '1' });
    await fetchBlob(source({ auth: true }), context(), { helper });
    expect(requests[1]?.headers).toMatchObject({ authorization: 'Bearer cloud', 'x-ms-version': '1' });
    const failing = () => Promise.reject(new ExpectedError('some-error'));
    await expect(fetchBlob(source({ auth: true }), context(), { helper: failing })).rejects.toThrow(
      'failed to resolve creds: some-error',
    );
  });

  it.each([
    [{ username: 'u', password: 'p' }, 'Basic dTpw'],
    [{ bearer: 't' }, 'Bearer t'],
    [{ authorization: 'Custom x' }, 'Custom x'],
  ])('03#138 sends what the Secret %j means', async (data, header) => {
    await world.secret('s', data);
    await world.prepare({ BLOB_URL: `${url}/a.tar`, BLOB_AUTH: 'true' }, ['-blob=s=127.0.0.1']);
    expect(requests[0]?.headers.authorization).toBe(header);
    expect(world.log.join('\n')).not.toContain(header);
  });

  it('03#139 says why a Secret cannot be used', async () => {
    await world.secret('none', { other: 'x' });
    await world.secret('both', { bearer: 'x', authorization: 'y' });
    const failure = (secrets: readonly string[]) => fetchBlob(source({ auth: true, secrets }), context());
    await expect(failure(['none=127.0.0.1'])).rejects.toThrow("no auths found for 'none'");
    await expect(failure(['both=127.0.0.1'])).rejects.toThrow("multiple auths found for 'both', only one of");
    await expect(failure(['none=example.com'])).rejects.toThrow("no secrets matched for '127.0.0.1'");
    await expect(failure(['none'])).rejects.toThrow('could not parse blob secret argument none');
  });

  it('03#140 says when no helper knows the URL', async () => {
    await expect(fetchBlob(source({ auth: true }), context())).rejects.toThrow(
      `no keychain matched for '${url}/a.tar'`,
    );
  });

  it('never sends credentials on to the host of a redirect', async () => {
    const other = createServer((request, response) => {
      requests.push(request);
      response.end(tar);
    }).listen(0, '127.0.0.2');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' ? address?.port : 0;
    answer = (_request, response) => response.writeHead(302, { location: `http://127.0.0.2:${port}/b` }).end();
    await world.secret('s', { bearer: 'secret-token' });
    await fetchBlob(source({ auth: true, secrets: ['s=127.0.0.1'] }), context());
    expect(requests.map(({ headers }) => headers.authorization)).toStrictEqual(['Bearer secret-token', undefined]);
    other.closeAllConnections();
    other.close();
  });

  it.each(['file:///etc/passwd', '/etc/passwd', 'ftp://h/x', 'not a url'])('refuses the URL %j', async (bad) => {
    await expect(fetchBlob(source({ url: bad }), context())).rejects.toThrow('is not http or https');
  });
});
