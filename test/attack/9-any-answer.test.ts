/**
 * Whatever a git host answers or a hook brings: a listing ends with refs or an expected failure, and a hook with a status. Answers of registries
 * are in test/unit/oci/any-answer.test.ts, labels in test/unit/buildpacks/malicious-labels.test.ts.
 */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExpectedError } from '../../lib/errors/expected.ts';
import { refLister } from '../../lib/git/list-refs.ts';
import { parseGitUrl } from '../../lib/git/url.ts';
import { hookAnswerer } from '../../lib/hooks/answer.ts';
import { requestIn, resultFrom } from '../../lib/hooks/function-url.ts';
import { secretsIn } from '../../lib/hooks/secrets.ts';
import { openKeySecret } from '../../lib/signing/key-secret.ts';
import { openGitWay } from '../support/open-egress.ts';
import { strangeTexts } from './any-value.ts';

/** JSON that is often nearly right: the keys that matter, over values of any kind. */
const jsonWith = (...keys: readonly string[]): fc.Arbitrary<unknown> =>
  fc.letrec<{ readonly tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(null, 0, -1, 1e308, true, ...strangeTexts),
      fc.string({ unit: 'binary' }),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...keys, '__proto__'), tie('tree'), { maxKeys: 6 }),
    ),
  })).tree;

describe('whatever a hook brings', () => {
  const secret = 'a-secret';
  const sent: unknown[] = [];
  const answer = hookAnswerer({
    secrets: () => Promise.resolve(secretsIn(secret)),
    polls: {
      atPlace: () => Promise.resolve({ targets: [], next: undefined }),
      entries: () => Promise.resolve({ entries: [], next: undefined }),
    },
    sender: { send: (_, messages) => Promise.resolve(void sent.push(...messages)) },
    clock: () => new Date(0),
    log: () => undefined,
  });
  const keys = [
    'ref',
    'ref_type',
    'refs',
    'repository',
    'project',
    'clone_url',
    'ssh_url',
    'html_url',
    'url',
    'urls',
    'git_http_url',
  ];
  const more = [
    'push',
    'changes',
    'new',
    'old',
    'type',
    'name',
    'links',
    'clone',
    'href',
    'object_kind',
    'event_name',
    'id',
  ];
  const body = fc.oneof(
    jsonWith(...keys, ...more).map((value) => JSON.stringify(value)),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('[', '{', 'payload=%zz', `${'['.repeat(9000)}${']'.repeat(9000)}`, '{"repository":'.repeat(5000)),
  );
  const header = fc.oneof(fc.constantFrom('push', 'repo:push', 'create', ''), fc.string({ maxLength: 20 }));
  const headers = fc.record(
    {
      'x-github-event': header,
      'x-gitea-event': header,
      'x-gitlab-event': header,
      'x-event-key': header,
      'x-gitlab-token': fc.constantFrom(secret, 'other'),
      authorization: fc.constantFrom(`Bearer ${secret}`, 'Bearer ', 'Basic x'),
      'content-type': fc.constantFrom('application/json', 'application/x-www-form-urlencoded', ''),
      'idempotency-key': fc.string({ unit: 'binary', maxLength: 20 }),
    },
    { requiredKeys: [] },
  );

  it('the answer is a status of HTTP, and nothing is thrown', async () => {
    await fc.assert(
      fc.asyncProperty(
        headers,
        body,
        fc.boolean(),
        fc.constantFrom('POST', 'GET', ''),
        async (given, text, isSigned, method) => {
          const signature = `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`;
          const event = {
            body: text,
            headers: { ...given, ...(isSigned && { 'X-Hub-Signature-256': signature, 'X-Hub-Signature': signature }) },
            isBase64Encoded: false,
            requestContext: { http: { method } },
          };
          const { statusCode = 0, body: said } = resultFrom(await answer(requestIn(event)));
          expect([200, 202, 400, 401, 405, 413]).toContain(statusCode);
          expect(typeof JSON.parse(said ?? '')).toBe('object');
        },
      ),
      { seed: 9, numRuns: 500 },
    );
    expect(sent).toEqual([]);
  });
});

describe('whatever a git host answers', () => {
  let server: Server;
  let next: { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: Buffer };
  beforeAll(async () => {
    server = createServer((request, response) => {
      request.resume();
      response.writeHead(next.status, next.headers);
      response.end(next.body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => void server.close());

  const packet = (text: string): string => (Buffer.byteLength(text) + 4).toString(16).padStart(4, '0') + text;
  const line = fc.oneof(
    fc.constantFrom(
      '# service=git-upload-pack\n',
      'version 2\n',
      'version 1\n',
      'ls-refs=unborn\n',
      'object-format=sha256\n',
      `${'a'.repeat(40)} HEAD\0symref=HEAD:refs/heads/main\n`,
      `${'b'.repeat(40)} refs/heads/main peeled:${'c'.repeat(40)}\n`,
      `${'b'.repeat(40)} refs/tags/x^{}\n`,
      'unborn HEAD symref-target:\n',
      'ERR \u202E\u001B[31m no such\n',
    ),
    fc.string({ unit: 'binary', maxLength: 30 }),
  );
  const bytes = fc.oneof(
    fc
      .array(fc.oneof(line.map(packet), fc.constantFrom('0000', '0001', '0002', '0003', 'fff0', 'zzzz')), {
        maxLength: 8,
      })
      .map((parts) => Buffer.from(parts.join(''))),
    fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)),
  );
  const type = fc.constantFrom(
    'application/x-git-upload-pack-advertisement',
    'application/x-git-upload-pack-result',
    'text/html',
    '',
  );
  const place = fc.constantFrom(
    '',
    '/',
    '//',
    'http://[',
    'http://127.0.0.1:1/info/refs',
    'file:///info/refs',
    'ftp://x/info/refs',
    '%zz/info/refs',
  );

  it('the listing ends with refs or an expected failure', async () => {
    const list = refLister(openGitWay, { deadlineSeconds: 5, trustUnknownHosts: true });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(200, 200, 200, 204, 301, 307, 401, 403, 404, 418, 429, 500, 503),
        type,
        place,
        fc.constantFrom('', '1', '-1', 'Thu, 01 Jan 1970', '9'.repeat(30)),
        bytes,
        async (status, contentType, location, retryAfter, body) => {
          next = {
            status,
            headers: {
              'content-type': contentType,
              ...(location !== '' && { location }),
              ...(retryAfter !== '' && { 'retry-after': retryAfter }),
            },
            body: status === 204 ? Buffer.alloc(0) : body,
          };
          const url = parseGitUrl(`http://127.0.0.1:${(server.address() as AddressInfo).port}/a/b`);
          const found = await list({ url, prefixes: ['HEAD', 'refs/heads/'] }).catch((error: unknown) => error);
          expect(Array.isArray(found) || found instanceof ExpectedError).toBe(true);
        },
      ),
      { seed: 9, numRuns: 300, interruptAfterTimeLimit: 5000 },
    );
  });
});

describe('whatever a signing Secret holds', () => {
  it('opens, or is an expected failure', async () => {
    const text = fc.oneof(fc.constantFrom(...strangeTexts), fc.string({ unit: 'binary' }));
    await fc.assert(
      fc.asyncProperty(text, text, text, async (key, password, repository) => {
        const secret = {
          metadata: { name: 's', annotations: { 'kpack.io/cosign.repository': repository } },
          data: { 'cosign.key': Buffer.from(key).toString('base64'), 'cosign.password': password },
        };
        await expect(openKeySecret(secret)).rejects.toMatchObject({ name: 'PermanentError' });
      }),
      { seed: 9, numRuns: 200 },
    );
  });
});
