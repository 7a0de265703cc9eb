/**
 * A host that is let through belongs to an attacker and sends us on to what must not be dialled; or it is a service of somebody else, and what it
 * answers must not be read out of a condition.
 */
import type { RequestListener } from 'node:http';
import { describe, expect, it } from 'vitest';
import { GitError } from '../../lib/git/errors.ts';
import { openRegistry } from '../../lib/oci/client.ts';
import { digestOf } from '../../lib/oci/digest.ts';
import { isOciError } from '../../lib/oci/errors.ts';
import { parseReference } from '../../lib/oci/reference.ts';
import { attempts, egressWorld, failureOf } from '../support/egress-world.ts';

const { state, serve, guarded } = egressWorld();

/** Where it sends us; PORT is the victim's. */
const places = [
  'http://127.0.0.1:PORT',
  'http://127.1:PORT',
  'http://0x7f.1:PORT',
  'http://0177.0.0.1:PORT',
  'http://2130706433:PORT',
  'http://[::1]:PORT',
  'http://[::ffff:127.0.0.1]:PORT',
  'http://localhost:PORT',
  'http://127.0.0.1.nip.example:PORT',
  'https://127.0.0.1:PORT',
  'http://169.254.169.254',
  'http://[fd00:ec2::254]',
];

describe.each(places)('a host that is let through, and sends us to %s', (template) => {
  const place = (): string => template.replace('PORT', String(state.port));
  const to = (response: Parameters<RequestListener>[1], path: string): void =>
    void response.writeHead(307, { location: `${place()}${path}` }).end();
  const registryOn = (host: string) => ({
    client: openRegistry({ retry: { attempts: 1 }, transport: { fetch: guarded().registry } }),
    image: parseReference(`${host}/team/app:1`),
  });
  const bytes = Buffer.from('x');
  const blob = {
    digest: digestOf(bytes),
    size: 1,
    open: async function* () {
      yield bytes;
    },
  };

  it('by a redirect of git', async () => {
    const host = await serve((_, response) => to(response, '/r.git/info/refs?service=git-upload-pack'));
    const error = await failureOf(attempts(guarded())['git over http'](host));
    expect(error).toBeInstanceOf(GitError);
    expect(error).toMatchObject({ code: 'not-asked' });
    expect(state.reached).toBe(0);
  });

  it('by a redirect of a blob', async () => {
    const host = await serve((_, response) => to(response, '/latest/meta-data/iam'));
    expect((await failureOf(attempts(guarded())['a blob'](host))).message).toContain('is not asked');
    expect(state.reached).toBe(0);
  });

  it.each(['manifests', 'blobs'])('by a redirect of %s', async (kind) => {
    const host = await serve((request, response) =>
      request.url === '/v2/' ? response.writeHead(200).end('{}') : to(response, '/latest/meta-data/iam'),
    );
    const { client, image } = registryOn(host);
    const work = kind === 'blobs' ? client.readBlob(image, blob) : client.getManifest(image);
    expect(isOciError(await failureOf(work), 'not-asked')).toBe(true);
    expect(state.reached).toBe(0);
  });

  it('by the realm of its tokens', async () => {
    const challenge = { 'www-authenticate': `Bearer realm="${place()}/token",service="s"` };
    const host = await serve((_, response) => response.writeHead(401, challenge).end());
    const { client, image } = registryOn(host);
    // By its name already, or by its address.
    const error = await failureOf(client.getManifest(image));
    expect(isOciError(error) && ['invalid-content', 'not-asked'].includes(error.code)).toBe(true);
    expect(state.reached).toBe(0);
  });

  it('by the location of an upload', async () => {
    const host = await serve((request, response) =>
      request.method === 'POST'
        ? response.writeHead(202, { location: `${place()}/upload` }).end()
        : response.writeHead(request.url === '/v2/' ? 200 : 404).end('{}'),
    );
    const { client, image } = registryOn(host);
    expect(isOciError(await failureOf(client.pushBlob(image, blob)), 'not-asked')).toBe(true);
    expect(state.reached).toBe(0);
  });
});

/** A service that is no registry, git host or file server, and answers with what only its own readers may see. */
const secret = 'hunter2';
const leaky = (status: number): RequestListener => {
  const headers = {
    'content-type': `application/x-${secret}`,
    'content-range': secret,
    'www-authenticate': `Bearer realm="${secret}://x/${secret}?${secret}",service="${secret}"`,
    'docker-content-digest': secret,
    location: `http://${secret}:${secret}@127.0.0.2/${secret}?${secret}=${secret}#${secret}`,
    'x-internal': secret,
    link: `<https://${secret}/>; rel="next"`,
  };
  return (request, response) => {
    if (request.url === '/v2/') response.writeHead(200).end('{}');
    else
      response.writeHead(status, secret, headers).end(`{"password":"${secret}","errors":[{"password":"${secret}"}]}`);
  };
};

describe.each([200, 202, 206, 301, 307, 400, 401, 403, 404, 418, 429, 500, 503])(
  'an internal service that answers %i',
  (status) => {
    it('is not read out by what a tenant is told', async () => {
      const host = await serve(leaky(status));
      const { client, image } = {
        client: openRegistry({ retry: { attempts: 1 }, transport: { fetch: guarded().registry } }),
        image: parseReference(`${host}/team/app:1`),
      };
      const blob = { digest: digestOf('x'), size: 1 };
      const all: readonly (() => Promise<unknown>)[] = [
        () => attempts(guarded())['git over http'](host),
        () => attempts(guarded())['a blob'](host),
        () => client.getManifest(image),
        () => client.headManifest(image),
        () => client.readBlob(image, blob),
        () => client.listTags(image),
        () => client.hasBlob(image, blob.digest),
        () => client.putManifest(image, { mediaType: 'application/json', bytes: Buffer.from('{}') }),
        () =>
          client.pushBlob(image, {
            ...blob,
            open: async function* () {
              yield Buffer.from('x');
            },
          }),
        () => client.deleteManifest(image),
      ];
      const said: string[] = [];
      for (const one of all)
        await one().catch((error: unknown) => void said.push(error instanceof Error ? error.message : String(error)));
      expect(said.length).toBeGreaterThan(0);
      expect(said.filter((message) => message.includes(secret))).toEqual([]);
    });
  },
);

describe('words of a git host', () => {
  it('are its own error form: one bounded, printable line', async () => {
    const line = `ERR ${'no '.repeat(500)}\u202E\u0007`;
    const packet = `${(line.length + 4 + 2).toString(16).padStart(4, '0')}${line}`;
    const host = await serve((_, response) =>
      response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' }).end(packet),
    );
    const { message } = await failureOf(attempts(guarded())['git over http'](host));
    expect(message).toMatch(/its host says: no no/);
    expect(message.length).toBeLessThan(400);
    expect(message).not.toMatch(/\p{C}/u);
  });
});
