/** Registries that mean harm. What they send is bounded, stays where it belongs, and fails with a typed error (spec 04 §9, DESIGN §3.29). */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openRegistry } from '../../../lib/oci/client.ts';
import { digestOf } from '../../../lib/oci/digest.ts';
import { isOciError } from '../../../lib/oci/errors.ts';
import { readImage } from '../../../lib/oci/image.ts';
import { ociManifestType } from '../../../lib/oci/media-types.ts';
import { parseTag, type TagReference } from '../../../lib/oci/reference.ts';
import { blobOf } from '../../support/registry-suite.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const megabyte = Buffer.alloc(1024 * 1024, ' ');
let server: Server;
let tag: TagReference;
let answer: Answer;
let sentBytes = 0;
let seen: IncomingMessage[] = [];

/** Sends spaces until the other side has enough. */
const endless =
  (status: number, headers: Readonly<Record<string, string>> = {}): Answer =>
  (_request, response) => {
    response.writeHead(status, headers);
    const more = (): void => {
      if (response.destroyed) return;
      sentBytes += megabyte.byteLength;
      if (sentBytes > 200 * megabyte.byteLength) response.destroy();
      else response.write(megabyte, () => setImmediate(more));
    };
    more();
  };

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(request);
    if (request.url === '/v2/') response.end('{}');
    else answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  tag = parseTag(`127.0.0.1:${(server.address() as AddressInfo).port}/team/app:v1`);
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});
beforeEach(() => {
  sentBytes = 0;
  seen = [];
});

const registry = openRegistry({
  retry: { attempts: 1 },
  keychain: () => Promise.resolve({ kind: 'basic', username: 'ada', password: 'pw' }),
});
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'fine',
    (error: unknown) => (isOciError(error) ? error.code : error),
  );
const small = { digest: digestOf('x'), size: 100 };

describe('a body without end', () => {
  it.each<readonly [string, string, Answer, () => Promise<unknown>]>([
    [
      'of a manifest',
      'invalid-content',
      endless(200, { 'content-type': ociManifestType }),
      () => registry.getManifest(tag),
    ],
    ['of a config', 'invalid-content', endless(200), () => registry.readBlob(tag, small)],
    [
      'of a rest of a blob',
      'invalid-content',
      endless(206, { 'content-range': 'bytes 9-99/100' }),
      () => Array.fromAsync(registry.openBlobAt(tag, small, 9)),
    ],
    [
      'before the rest of a blob',
      'invalid-content',
      endless(200),
      () => Array.fromAsync(registry.openBlobAt(tag, small, 9)),
    ],
    ['of an error', 'unavailable', endless(500), () => registry.getManifest(tag)],
    ['of a list of tags', 'invalid-content', endless(200), () => registry.listTags(tag)],
    [
      'after an upload was opened',
      'fine',
      endless(202, { location: '/v2/u' }),
      () => registry.mountBlob(tag, small.digest, tag),
    ],
    [
      'of a stored manifest',
      'fine',
      endless(201),
      () => registry.putManifest(tag, { mediaType: ociManifestType, bytes: Buffer.from('{}') }),
    ],
  ])('%s is cut off', async (_what, code, how, call) => {
    answer = how;
    expect(await codeOf(call())).toBe(code);
    expect(sentBytes).toBeLessThan(32 * megabyte.byteLength);
  });

  it('of a token is cut off', async () => {
    const tokens = endless(200);
    answer = (request, response) => {
      if (request.url?.startsWith('/token') === true) tokens(request, response);
      else
        response
          .writeHead(401, { 'www-authenticate': `Bearer realm="http://${request.headers.host}/token",service="s"` })
          .end();
    };
    expect(await codeOf(registry.getManifest(tag))).toBe('invalid-content');
    expect(sentBytes).toBeLessThan(16 * megabyte.byteLength);
  });
});

describe('a decompression bomb', () => {
  const bomb = gzipSync(Buffer.alloc(256 * 1024 * 1024));
  it('in the encoding of a manifest or a blob is left where it is: nobody asked for an encoding', async () => {
    answer = (_request, response) =>
      response.writeHead(200, { 'content-type': ociManifestType, 'content-encoding': 'gzip' }).end(bomb);
    const before = process.memoryUsage().rss;
    expect(await codeOf(registry.getManifest(tag))).toBe('invalid-content');
    expect(await codeOf(registry.readBlob(tag, small))).toBe('invalid-content');
    expect(process.memoryUsage().rss - before).toBeLessThan(128 * 1024 * 1024);
  });
});

describe('names that climb', () => {
  it.each(['../../v2/other', '..%2f..', 'a/../../b'])('are no repository: %s', (path) => {
    expect(() => parseTag(`127.0.0.1:5000/${path}:v1`)).toThrow('could not parse reference');
  });

  it('in a manifest are no digest, so that no path is made of them', async () => {
    const climbing = { mediaType: 'x', size: 3, digest: 'sha256:../../../manifests/secret' };
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, config: climbing, layers: [climbing] }));
    answer = (_request, response) => response.writeHead(200, { 'content-type': ociManifestType }).end(bytes);
    expect(await codeOf(readImage(registry, tag))).toBe('invalid-content');
    expect(seen.filter(({ url }) => url !== '/v2/')).toHaveLength(1);
  });
});

describe('a credential', () => {
  it('does not follow an upload that a record says goes on elsewhere', async () => {
    answer = (_request, response) => response.writeHead(401, { 'www-authenticate': 'Basic realm="mine"' }).end();
    const blob = blobOf(Buffer.from('content'));
    // The registry asks for the password, so that it would be sent to the next place if anybody did.
    expect(await codeOf(registry.getManifest(tag))).toBe('unauthorized');
    const elsewhere = `http://localhost:${tag.registry.split(':')[1]}/v2/team/app/blobs/uploads/1`;
    const upload = { digest: blob.digest, location: elsewhere, sentBytes: 3, minChunkBytes: 0 };
    seen = [];
    expect(await codeOf(registry.pushBlobInSittings(tag, blob, { seconds: 1, upload }))).toBe('unauthorized');
    expect(seen.map(({ headers: { host, authorization } }) => [host?.split(':')[0], authorization])).toEqual([
      ['localhost', undefined],
    ]);
  });
});
