import { afterAll, beforeAll, describe } from 'vitest';
import type { Keychain } from '../../../lib/oci/keychain.ts';
import { type FakeRegistry, type FakeRegistryOptions, startFakeRegistry } from '../../support/fake-registry.ts';
import { registrySuite } from '../../support/registry-suite.ts';

const users = { alice: 'pass:word' };
const alice: Keychain = () => Promise.resolve({ kind: 'basic', username: 'alice', password: 'pass:word' });
const identity: Keychain = () => Promise.resolve({ kind: 'identity-token', token: 'refresh-me' });

describe.each<readonly [string, FakeRegistryOptions, Keychain | undefined]>([
  ['open', { pageSize: 2 }, undefined],
  ['basic', { auth: { kind: 'basic', users } }, alice],
  ['token', { auth: { kind: 'token', users } }, alice],
  ['identity token', { auth: { kind: 'token', users, identityTokens: ['refresh-me'] } }, identity],
  ['in pieces', { maxRequestBytes: 4 * 1024 * 1024 }, undefined],
])('the fake registry, %s', (_name, options, keychain) => {
  let fake: FakeRegistry;
  beforeAll(async () => {
    fake = await startFakeRegistry(options);
  });
  afterAll(() => fake.close());
  registrySuite(() => ({ host: fake.host, chunkBytes: 1_000_000, ...(keychain === undefined ? {} : { keychain }) }));
});
