import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CredentialSecret, keychainFromSecrets } from '../../../lib/oci/credentials.ts';
import { type Keychain, reading } from '../../../lib/oci/keychain.ts';
import { parseRepository } from '../../../lib/oci/reference.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const dockerConfigJson = (auths: object, name = 'config'): CredentialSecret => ({
  metadata: { name, namespace: 'ns' },
  type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': base64(JSON.stringify({ auths })) },
});
const dockerCfg = (auths: object): CredentialSecret => ({
  metadata: { name: 'cfg', namespace: 'ns' },
  type: 'kubernetes.io/dockercfg',
  data: { '.dockercfg': base64(JSON.stringify(auths)) },
});
const basicAuth = (registry: string, username: string): CredentialSecret => ({
  metadata: { name: 'basic', namespace: 'ns', annotations: { 'kpack.io/docker': registry } },
  type: 'kubernetes.io/basic-auth',
  data: { username: base64(username), password: base64('pw') },
});
const login = (username: string, password = 'pw') => ({ username, password });
const userFor = async (keychain: Keychain, name: string): Promise<string | undefined> => {
  const found = await keychain(parseRepository(name), reading);
  return found?.kind === 'basic' ? found.username : found?.kind;
};

describe('Secrets of a ServiceAccount', () => {
  it('04#132 a basic-auth Secret annotated with a registry gives its user and password', async () => {
    const keychain = keychainFromSecrets({ accountSecrets: [basicAuth('annotated.io', 'me')] });
    expect(await keychain(parseRepository('annotated.io/some/image'), reading)).toEqual({
      kind: 'basic',
      username: 'me',
      password: 'pw',
    });
  });

  it('04#133 dockercfg and dockerconfigjson Secrets are both found', async () => {
    const keychain = keychainFromSecrets({
      accountSecrets: [dockerConfigJson({ 'json.io': login('json') }), dockerCfg({ 'cfg.io': login('cfg') })],
    });
    expect(await userFor(keychain, 'json.io/ab')).toBe('json');
    expect(await userFor(keychain, 'cfg.io/ab')).toBe('cfg');
  });

  it('04#136 nobody is known for another registry', async () => {
    const keychain = keychainFromSecrets({ accountSecrets: [basicAuth('reg.io', 'me')] });
    expect(await keychain(parseRepository('other.io/ab'), reading)).toBeUndefined();
  });

  it.each([
    'reg.io',
    'https://reg.io',
    'http://reg.io',
    'https://reg.io/v1/',
    'http://reg.io/v1/',
    'https://reg.io/v2/',
    'http://reg.io/v2/',
  ])('04#137 the key %s means reg.io and not gcr.io', async (key) => {
    const keychain = keychainFromSecrets({ accountSecrets: [dockerConfigJson({ [key]: login('me') })] });
    expect(await userFor(keychain, 'reg.io/ab')).toBe('me');
    expect(await userFor(keychain, 'gcr.io/ab')).toBeUndefined();
  });

  it('04#137 Docker Hub is https://index.docker.io/v1/; its other names count when that is missing (beyond kpack)', async () => {
    const both = keychainFromSecrets({
      accountSecrets: [
        dockerConfigJson({ 'docker.io': login('alias'), 'https://index.docker.io/v1/': login('exact') }),
      ],
    });
    expect(await userFor(both, 'busybox')).toBe('exact');
    const alias = keychainFromSecrets({ accountSecrets: [dockerConfigJson({ 'docker.io': login('alias') })] });
    expect(await userFor(alias, 'team/app')).toBe('alias');
  });

  it('04#138 the first of two for one registry wins', async () => {
    const keychain = keychainFromSecrets({
      accountSecrets: [
        dockerConfigJson({ 'gcr.io': login('first') }),
        dockerConfigJson({ 'https://gcr.io': login('second') }),
      ],
    });
    expect(await userFor(keychain, 'gcr.io/ab')).toBe('first');
  });

  it('04#139 auth wins over username and password, padded or not', async () => {
    for (const auth of [base64('right:a:b'), base64('right:a:b').replaceAll('=', '')]) {
      const keychain = keychainFromSecrets({
        accountSecrets: [dockerConfigJson({ 'reg.io': { ...login('wrong'), auth } })],
      });
      expect(await keychain(parseRepository('reg.io/ab'), reading)).toEqual({
        kind: 'basic',
        username: 'right',
        password: 'a:b',
      });
    }
  });

  it('knows identity and registry tokens', async () => {
    const keychain = keychainFromSecrets({
      accountSecrets: [dockerConfigJson({ 'a.io': { identitytoken: 'i' }, 'b.io': { registrytoken: 'r' } })],
    });
    expect(await keychain(parseRepository('a.io/ab'), reading)).toEqual({ kind: 'identity-token', token: 'i' });
    expect(await keychain(parseRepository('b.io/ab'), reading)).toEqual({ kind: 'registry-token', token: 'r' });
  });

  it('ignores Secrets of other types and without the annotation', async () => {
    const opaque = { type: 'Opaque', data: { username: base64('x') } };
    const keychain = keychainFromSecrets({
      accountSecrets: [opaque, { ...basicAuth('x', 'x'), metadata: { name: 'b' } }],
    });
    expect(await userFor(keychain, 'x.io/ab')).toBeUndefined();
  });

  it.each([
    [{ 'reg.io': { auth: '%%%' } }, 'unable to decode auth field of reg.io: not base64'],
    [{ 'reg.io': { auth: base64('secret-without-colon') } }, 'must be formatted as base64(username:password)'],
  ])('names the Secret it cannot read and quotes nothing of it (%j)', (auths, sentence) => {
    const make = () => keychainFromSecrets({ accountSecrets: [dockerConfigJson(auths, 'broken')] });
    expect(make).toThrow(sentence);
    expect(make).toThrow('Secret ns/broken');
    expect(make).not.toThrow('secret-without-colon');
  });

  it('says that JSON is none without quoting it', () => {
    const secret = { ...dockerCfg({}), data: { '.dockercfg': base64('{"reg.io": hunter2') } };
    const make = () => keychainFromSecrets({ accountSecrets: [secret] });
    expect(make).toThrow('Secret ns/cfg of type kubernetes.io/dockercfg: not a JSON object');
    expect(make).not.toThrow('hunter2');
  });
});

describe('image pull secrets', () => {
  it('04#135 give their credential when the account has none', async () => {
    const keychain = keychainFromSecrets({ pullSecrets: [dockerConfigJson({ 'reg.io': login('puller') })] });
    expect(await userFor(keychain, 'reg.io/ab')).toBe('puller');
  });

  it('come after exact keys of the account and before its loose ones', async () => {
    const lists = {
      accountSecrets: [dockerConfigJson({ 'reg.io': login('account'), '*.other.io': login('account-glob') })],
      pullSecrets: [dockerConfigJson({ 'reg.io': login('pull'), 'x.other.io': login('pull') })],
    };
    expect(await userFor(keychainFromSecrets(lists), 'reg.io/ab')).toBe('account');
    expect(await userFor(keychainFromSecrets(lists), 'x.other.io/ab')).toBe('pull');
    expect(await userFor(keychainFromSecrets(lists), 'y.other.io/ab')).toBe('account-glob');
  });

  it.each([
    ['*.example.com', 'a.example.com/x/y', true],
    ['*.example.com', 'a.b.example.com/x/y', false],
    ['*.example.com', 'example.com/x/y', false],
    ['reg-??.io', 'reg-12.io/ab', true],
    ['reg.io:5000', 'reg.io:5000/ab', true],
    ['reg.io:5000', 'reg.io/ab', false],
    ['reg.io', 'reg.io:5000/ab', false],
    ['ghcr.io/team', 'ghcr.io/team/app', true],
    ['ghcr.io/team', 'ghcr.io/other/app', false],
    ['https://ghcr.io/v2/team', 'ghcr.io/team/app', true],
    ['https://index.docker.io/v1/', 'busybox', true],
    ['docker.io', 'busybox', true],
    ['index.docker.io/library', 'busybox', true],
  ])('the key %s for %s: %s', async (key, name, matches) => {
    const keychain = keychainFromSecrets({ pullSecrets: [dockerConfigJson({ [key]: login('me') })] });
    expect(await userFor(keychain, name)).toBe(matches ? 'me' : undefined);
  });

  it('the longer key wins whatever the order', async () => {
    const auths = { 'ghcr.io': login('host'), 'ghcr.io/team/app': login('app'), 'ghcr.io/team': login('team') };
    const keychain = keychainFromSecrets({ pullSecrets: [dockerConfigJson(auths)] });
    expect(await userFor(keychain, 'ghcr.io/team/app')).toBe('app');
    expect(await userFor(keychain, 'ghcr.io/team/web')).toBe('team');
    expect(await userFor(keychain, 'ghcr.io/x/y')).toBe('host');
  });

  it('are read fast whatever stars a key is made of', async () => {
    const key = `${'a*'.repeat(2000)}b.io`;
    const keychain = keychainFromSecrets({ pullSecrets: [dockerConfigJson({ [key]: login('me') })] });
    expect(await userFor(keychain, `${'a'.repeat(60)}.io/ab`)).toBeUndefined();
  });
});

describe('any docker config', () => {
  it('makes a keychain or names the Secret', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        const secret = { ...dockerCfg({}), data: { '.dockercfg': base64(text) } };
        const attempt = (): string => {
          try {
            return typeof keychainFromSecrets({ accountSecrets: [secret] });
          } catch (error) {
            return error instanceof Error ? error.name : 'thrown';
          }
        };
        expect(['function', 'CredentialError']).toContain(attempt());
      }),
    );
  });
});
