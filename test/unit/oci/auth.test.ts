import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { openRegistry } from '../../../lib/oci/client.ts';
import { digestOf } from '../../../lib/oci/digest.ts';
import { isOciError } from '../../../lib/oci/errors.ts';
import type { Keychain } from '../../../lib/oci/keychain.ts';
import { createSession } from '../../../lib/oci/session.ts';
import { type FakeRegistry, type FakeRegistryOptions, startFakeRegistry } from '../../support/fake-registry.ts';
import { blobOf, pushSomeImage, someTag } from '../../support/registry-suite.ts';

const users = { alice: 'pw', bob: 'pw2' };
const as =
  (username: string, password: string): Keychain =>
  () =>
    Promise.resolve({ kind: 'basic', username, password });
const alice = as('alice', 'pw');
const retry = { firstWaitMs: 1 };

const running: FakeRegistry[] = [];
const start = async (options: FakeRegistryOptions = {}): Promise<FakeRegistry> => {
  const fake = await startFakeRegistry(options);
  running.push(fake);
  return fake;
};
afterEach(async () => {
  await Promise.all(running.splice(0).map((fake) => fake.close()));
});

const tokensAsked = (fake: FakeRegistry): number =>
  fake.requests.filter(({ path }) => path.startsWith('/token')).length;
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'fulfilled',
    (error: unknown) => (isOciError(error) ? error.code : 'another error'),
  );

describe('tokens', () => {
  it('are asked for once and used again by every client of the process', async () => {
    const fake = await start({ auth: { kind: 'token', users } });
    const session = createSession();
    const tag = someTag(fake.host);
    await pushSomeImage(openRegistry({ keychain: alice, session }), tag);
    const before = tokensAsked(fake);
    await openRegistry({ keychain: alice, session }).hasBlob(tag, digestOf('x'));
    await openRegistry({ keychain: alice, session }).getManifest(tag);
    expect(before).toBe(1);
    expect(tokensAsked(fake)).toBe(2);
  });

  it('are asked for once by all who want one at the same moment', async () => {
    const fake = await start({ auth: { kind: 'token', users } });
    const registry = openRegistry({ keychain: alice });
    const tag = someTag(fake.host);
    await Promise.all(Array.from({ length: 10 }, (_, n) => registry.hasBlob(tag, digestOf(`${n}`))));
    expect(tokensAsked(fake)).toBe(1);
  });

  it('of one user are never another’s', async () => {
    const fake = await start({ auth: { kind: 'token', users } });
    const session = createSession();
    const tag = someTag(fake.host);
    await pushSomeImage(openRegistry({ keychain: alice, session }), tag);
    expect(await codeOf(openRegistry({ session }).getManifest(tag))).toBe('unauthorized');
    expect(await codeOf(openRegistry({ keychain: as('alice', 'wrong'), session }).getManifest(tag))).toBe(
      'unauthorized',
    );
  });

  it('are renewed before they end', async () => {
    let nowMs = 1_000_000;
    const fake = await start({ auth: { kind: 'token', users, lifeSeconds: 60 }, now: () => nowMs });
    const registry = openRegistry({ keychain: alice, session: createSession(() => nowMs) });
    const tag = someTag(fake.host);
    await pushSomeImage(registry, tag);
    nowMs += 55_000;
    fake.clearRequests();
    await registry.getManifest(tag);
    expect(fake.requests.map(({ status }) => status)).toEqual([200, 200]);
  });

  it('that the registry forgets in the middle of an upload are replaced, and the upload goes on', async () => {
    const fake = await start({ auth: { kind: 'token', users } });
    const registry = openRegistry({ keychain: alice });
    const blob = blobOf(randomBytes(2_000_000));
    const tag = someTag(fake.host);
    await registry.pushBlob(tag, blobOf(randomBytes(10)));
    fake.clearRequests();
    fake.addFault({ kind: 'expire-tokens', method: 'PUT' });
    await registry.pushBlob(tag, blob);
    const steps = fake.requests.map(
      ({ method, path, status }) => `${method} ${path.startsWith('/token') ? 'token' : status}`,
    );
    expect(steps).toEqual(['POST 202', 'PUT 401', 'GET token', 'PUT 201']);
    expect(await registry.hasBlob(tag, blob.digest)).toBe(true);
  });

  it('for a mount cover both repositories', async () => {
    const fake = await start({ auth: { kind: 'token', users } });
    const registry = openRegistry({ keychain: alice });
    const [from, to] = [someTag(fake.host), someTag(fake.host)];
    const blob = blobOf(randomBytes(10));
    await registry.pushBlob(from, blob);
    fake.clearRequests();
    expect(await registry.mountBlob(to, blob.digest, from)).toBe(true);
    const asked = new URL(fake.requests.find(({ path }) => path.startsWith('/token'))?.path ?? '', 'http://x');
    expect(asked.searchParams.getAll('scope').sort()).toEqual(
      [`repository:${from.path}:pull`, `repository:${to.path}:pull,push`].sort(),
    );
  });

  it('are had by POST for an identity token, which shows up nowhere else', async () => {
    const fake = await start({ auth: { kind: 'token', users, identityTokens: ['refresh-me'] } });
    const registry = openRegistry({ keychain: () => Promise.resolve({ kind: 'identity-token', token: 'refresh-me' }) });
    await pushSomeImage(registry, someTag(fake.host));
    expect(fake.requests.some(({ method, path }) => method === 'POST' && path === '/token')).toBe(true);
    expect(JSON.stringify(fake.requests)).not.toContain('refresh-me');
  });

  it('given as registry tokens are sent as they are', async () => {
    const fake = await start({ auth: { kind: 'token', users } });
    const registry = openRegistry({ keychain: () => Promise.resolve({ kind: 'registry-token', token: 'as-it-is' }) });
    expect(await codeOf(registry.getManifest(someTag(fake.host)))).toBe('unauthorized');
    expect(fake.requests.at(-1)?.authorization).toBe('Bearer as-it-is');
    expect(tokensAsked(fake)).toBe(0);
  });

  it('for anybody are enough to pull', async () => {
    const fake = await start({ auth: { kind: 'token', users, anonymousPull: true } });
    const tag = someTag(fake.host);
    const bytes = await pushSomeImage(openRegistry({ keychain: alice }), tag);
    expect((await openRegistry().getManifest(tag)).digest).toBe(digestOf(bytes));
    expect(await codeOf(openRegistry().pushBlob(tag, blobOf(randomBytes(3))))).toBe('unauthorized');
  });
});

describe('credentials', () => {
  it('are not sent before a registry asks', async () => {
    const fake = await start({ auth: { kind: 'basic', users } });
    await codeOf(openRegistry({ keychain: alice }).getManifest(someTag(fake.host)));
    expect(fake.requests.map(({ authorization }) => authorization !== undefined)).toEqual([false, false, true]);
  });

  it('that are wrong are sent once', async () => {
    const fake = await start({ auth: { kind: 'basic', users } });
    const registry = openRegistry({ keychain: as('alice', 'wrong'), retry });
    const tag = someTag(fake.host);
    expect(await codeOf(registry.getManifest(tag))).toBe('unauthorized');
    expect(await codeOf(registry.getManifest(tag))).toBe('unauthorized');
    expect(fake.requests.filter(({ authorization }) => authorization !== undefined)).toHaveLength(2);
  });

  it('stay with their host when a blob is sent from another', async () => {
    const storage = await start();
    const fake = await start({ auth: { kind: 'basic', users } });
    const tag = someTag(fake.host);
    const registry = openRegistry({ keychain: alice });
    const blob = blobOf(randomBytes(1000));
    await registry.pushBlob(tag, blob);
    storage.store.putBlob(tag.path, await registry.readBlob(tag, blob));
    fake.addFault({ kind: 'redirect', to: `http://${storage.host}/`, path: /blobs\/sha256/ });
    expect((await registry.readBlob(tag, blob)).byteLength).toBe(1000);
    expect(storage.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it('stay with their host when an upload goes on elsewhere', async () => {
    const storage = await start();
    const fake = await start({ auth: { kind: 'basic', users } });
    const tag = someTag(fake.host);
    storage.store.uploads.set('u1', Buffer.alloc(0));
    fake.addFault({
      kind: 'header',
      name: 'location',
      value: `http://${storage.host}/v2/${tag.path}/blobs/uploads/u1`,
      method: 'POST',
    });
    fake.addFault({
      kind: 'header',
      name: 'location',
      value: `http://${storage.host}/v2/${tag.path}/blobs/uploads/u1`,
      method: 'POST',
    });
    await openRegistry({ keychain: alice }).pushBlob(tag, blobOf(randomBytes(10)));
    expect(storage.requests.map(({ method, status, authorization }) => ({ method, status, authorization }))).toEqual([
      { method: 'PUT', status: 201, authorization: undefined },
    ]);
  });

  it('are not given to a token service in the clear that a TLS registry or a public name points to', async () => {
    const realm = 'http://tokens.example.com/token';
    const fake = await start({ auth: { kind: 'token', users, realm: 'ftp://127.0.0.1/token' } });
    expect(await codeOf(openRegistry({ keychain: alice }).getManifest(someTag(fake.host)))).toBe('invalid-content');
    const { fetchToken } = await import('../../../lib/oci/token.ts');
    const asked = fetchToken(
      () => Promise.reject(new Error('nobody may be asked')),
      {
        registryUrl: new URL('https://registry.example.com/'),
        realm,
        service: undefined,
        scopes: [],
        authorization: undefined,
      },
      Date.now,
    );
    expect(await codeOf(asked)).toBe('invalid-content');
  });

  it('of the POST kind are not redirected', async () => {
    const other = await start();
    const fake = await start({ auth: { kind: 'token', users, identityTokens: ['refresh-me'] } });
    fake.addFault({ kind: 'redirect', to: `http://${other.host}/token`, path: /^\/token/ });
    const registry = openRegistry({ keychain: () => Promise.resolve({ kind: 'identity-token', token: 'refresh-me' }) });
    expect(await codeOf(registry.getManifest(someTag(fake.host)))).toBe('rejected');
    expect(other.requests).toEqual([]);
  });

  it('that are missing are named as the likely cause', async () => {
    const fake = await start({ auth: { kind: 'token', users } });
    await expect(openRegistry().getManifest(someTag(fake.host))).rejects.toThrow(
      `UNAUTHORIZED: authentication required (no credential is known for ${fake.host})`,
    );
  });

  it('appear in no error', async () => {
    const fake = await start({ auth: { kind: 'basic', users } });
    const registry = openRegistry({ keychain: as('alice', 'hunter2'), retry });
    const error: unknown = await registry.getManifest(someTag(fake.host)).catch((reason: unknown) => reason);
    expect(JSON.stringify(error) + String(error)).not.toMatch(/hunter2|YWxpY2U6aHVudGVyMg/);
  });
});
