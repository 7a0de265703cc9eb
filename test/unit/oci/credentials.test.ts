import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CredentialSecret, keychainFromSecrets, unreadableIn } from '../../../lib/oci/credentials.ts';
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
    [{ 'reg.io': { auth: `${base64('me:hunter2')}\u0000` } }, 'unable to decode auth field of reg.io: not base64'],
    [{ 'reg.io': { auth: 'bWU6-_8=' } }, 'unable to decode auth field of reg.io: not base64'],
    [{ 'reg.io': { auth: Buffer.from([0x6d, 0x3a, 0xff]).toString('base64') } }, 'not text in UTF-8'],
    [{ 'reg.io': { username: 'me', password: 5 } }, 'password of reg.io is no text: put it in quotes'],
    [{ 'reg.io': 'secret-without-colon' }, 'the entry of reg.io is no object'],
    [{ 'reg.io': { username: 'me', password: 'hunter2\n' } }, 'password of reg.io ends with a line break'],
  ])(
    'names the Secret it cannot read when it is asked for that registry, and quotes nothing of it (%j)',
    async (auths, sentence) => {
      const keychain = keychainFromSecrets({
        accountSecrets: [dockerConfigJson({ ...auths, 'fine.io': login('me') }, 'broken')],
      });
      const failure = await keychain(parseRepository('reg.io/ab'), reading).catch(String);
      expect(failure).toContain(sentence);
      expect(failure).toContain('Secret ns/broken');
      expect(failure).not.toMatch(/secret-without-colon|hunter2/);
      expect(await userFor(keychain, 'fine.io/ab')).toBe('me');
      expect(await userFor(keychain, 'other.io/ab')).toBeUndefined();
    },
  );

  it('are passed over when they are no JSON, and told of without being quoted', async () => {
    const secret = { ...dockerCfg({}), data: { '.dockercfg': base64('{"reg.io": hunter2') } };
    const lists = { accountSecrets: [secret, basicAuth('reg.io', 'me')] };
    expect(await userFor(keychainFromSecrets(lists), 'reg.io/ab')).toBe('me');
    expect(unreadableIn(lists)).toEqual(['Secret ns/cfg of type kubernetes.io/dockercfg: not a JSON object']);
  });

  it('of type basic-auth harm only the registry they are annotated for', async () => {
    const broken = { ...basicAuth('broken.io', 'me'), data: { username: base64('me'), password: '//79' } };
    const keychain = keychainFromSecrets({ accountSecrets: [broken, basicAuth('reg.io', 'me')] });
    expect(await userFor(keychain, 'reg.io/ab')).toBe('me');
    await expect(keychain(parseRepository('broken.io/ab'), reading)).rejects.toThrow('is not text in UTF-8');
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
    ['user:word@reg.io', 'reg.io/ab', true],
    ['https://reg.io/team?x=1', 'reg.io/team/app', true],
    ['reg.io/team#x', 'reg.io/team/app', true],
    ['reg.io/te%61m', 'reg.io/team/app', true],
    ['reg.io/te%6', 'reg.io/te/app', false],
    ['reg.io:', 'reg.io/ab', true],
    ['reg.io:/team', 'reg.io/team/app', true],
    ['[r]eg.io', 'reg.io/ab', false],
    ['reg.io:*', 'reg.io:5000/ab', false],
    ['.reg.io', 'a.reg.io/ab', false],
    ['reg-??.io', 'reg-12.io/ab', true],
    ['reg.io:5000', 'reg.io:5000/ab', true],
    ['reg.io:5000', 'reg.io/ab', false],
    ['reg.io', 'reg.io:5000/ab', false],
    ['ghcr.io/team', 'ghcr.io/team/app', true],
    ['ghcr.io/team', 'ghcr.io/other/app', false],
    ['https://ghcr.io/v2/team', 'ghcr.io/team/app', true],
    ['https://index.docker.io/v1/', 'busybox', true],
    ['https://index.docker.io/v1', 'busybox', true],
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

describe('a docker config is read as Go reads it', () => {
  /** The login under `reg.io` of a text, as Go's encoding/json and go-containerregistry's decoder have it. */
  const read = async (text: string): Promise<unknown> => {
    const secret = { ...dockerConfigJson({}), data: { '.dockerconfigjson': base64(text) } };
    return await keychainFromSecrets({ accountSecrets: [secret] })(parseRepository('reg.io/ab'), reading);
  };
  const entry = (members: string): string => `{"auths":{"reg.io":{${members}}}}`;
  const basic = (username: string, password: string) => ({ kind: 'basic', username, password });
  const auth = base64('me:p');

  it.each<[string, string, unknown]>([
    ['names in any case', `{"AUTHS":{"reg.io":{"Auth":"${auth}"}}}`, basic('me', 'p')],
    ['of a name that comes twice the last', entry('"username":"a","password":"p","username":"b"'), basic('b', 'p')],
    ['also in two cases', entry('"username":"a","password":"p","USERNAME":"b","Username":null'), basic('b', 'p')],
    ['null as nothing', entry(`"auth":null,"username":"a","password":"p"`), basic('a', 'p')],
    ['an entry that is null', '{"auths":{"reg.io":null}}', undefined],
    ['of two entries for a key the last', `{"auths":{"reg.io":5,"reg.io":{"auth":"${auth}"}}}`, basic('me', 'p')],
    ['auths that come twice as one', `{"auths":{"reg.io":{"auth":"${auth}"}},"auths":{"b.io":{}}}`, basic('me', 'p')],
    ['auths that are null', '{"auths":null}', undefined],
    ['nothing at all', 'null', undefined],
    [
      'other members',
      `{"credsStore":"desktop","HttpHeaders":{"a":[1]},"auths":{"reg.io":{"auth":"${auth}","email":5}}}`,
      basic('me', 'p'),
    ],
    ['auth before user and password', entry(`"username":"x","password":"y","auth":"${auth}"`), basic('me', 'p')],
    ['auth without padding', entry(`"auth":"${base64('me:pw').replaceAll('=', '')}"`), basic('me', 'pw')],
    ['auth over several lines', entry(`"auth":"${auth.slice(0, 4)}\\r\\n${auth.slice(4)}\\n"`), basic('me', 'p')],
    ['auth with zeros behind the password', entry(`"auth":"${base64('me:p\0\0')}"`), basic('me', 'p')],
    ['auth with colons in the password', entry(`"auth":"${base64('me:p:q')}"`), basic('me', 'p:q')],
    ['auth without user', entry(`"auth":"${base64(':token')}"`), basic('', 'token')],
    ['auth without password', entry(`"auth":"${base64('me:')}"`), basic('me', '')],
    ['a user name alone', entry('"username":"me"'), basic('me', '')],
    ['a password alone', entry('"password":"p"'), basic('', 'p')],
    [
      'an identity token before auth',
      entry(`"auth":"${base64('00000000-0000:')}","identitytoken":"t"`),
      { kind: 'identity-token', token: 't' },
    ],
    [
      'a registry token before all',
      entry('"identitytoken":"t","registrytoken":"r"'),
      { kind: 'registry-token', token: 'r' },
    ],
    ['escapes in names', entry('"\\u0075sername":"me","password":"\\u00fc"'), basic('me', 'ü')],
  ])('%s', async (_, text, expected) => {
    expect(await read(text)).toEqual(expected);
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
