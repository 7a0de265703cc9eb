import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accountCredentials, accountRegistries } from '../../../lib/buildpacks/account-registry.ts';
import { collectionPath } from '../../../lib/kube/resources.ts';
import { reading } from '../../../lib/oci/keychain.ts';
import { parseTag } from '../../../lib/oci/reference.ts';
import { storeDockerImage } from '../../support/buildpack-images.ts';
import { type FakeCluster, fakeCluster } from '../../support/fake-cluster.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';
import { openTransport } from '../../support/open-egress.ts';

const repository = { registry: 'reg.example.com', path: 'some/image' };
const opening = { behalf: { namespace: 'ns' }, access: 'read' } as const;
const login = (username: string) => ({ auths: { 'reg.example.com': { username, password: 'p' } } });

describe('credentials of an account', () => {
  let cluster: FakeCluster;

  const put = (kind: string, name: string, more: Readonly<Record<string, unknown>>): void => {
    const object = { ...more, apiVersion: 'v1', kind, metadata: { name, namespace: 'ns' } };
    cluster.put(collectionPath(kind, 'ns'), object);
  };
  const putLogin = (name: string, config: object): void =>
    put('Secret', name, {
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': Buffer.from(JSON.stringify(config)).toString('base64') },
    });
  const keychain = async (serviceAccount: string, namespace = 'ns') =>
    (await accountCredentials(cluster.kube, { namespace, serviceAccount })).keychain;

  beforeEach(() => {
    cluster = fakeCluster();
  });

  it('04#133 are those of its Secrets, before its pull secrets; missing ones are passed over', async () => {
    put('ServiceAccount', 'sa', { secrets: [{ name: 'gone' }, { name: 'own' }], imagePullSecrets: [{ name: 'pull' }] });
    putLogin('own', login('own'));
    putLogin('pull', login('pull'));
    expect(await (await keychain('sa'))(repository, reading)).toMatchObject({ username: 'own' });
  });

  it('04#135 may be pull secrets alone', async () => {
    put('ServiceAccount', 'sa', { imagePullSecrets: [{ name: 'pull' }] });
    putLogin('pull', login('pull'));
    expect(await (await keychain('sa'))(repository, reading)).toMatchObject({ username: 'pull' });
  });

  it('04#134 of no account in a namespace are those of default', async () => {
    put('ServiceAccount', 'default', { secrets: [{ name: 'own' }] });
    putLogin('own', login('default'));
    expect(await (await keychain(''))(repository, reading)).toMatchObject({ username: 'default' });
  });

  it('04#136 are none when the account is missing or nothing matches', async () => {
    expect(await (await keychain('gone'))(repository, reading)).toBeUndefined();
    expect(await (await keychain('sa', ''))(repository, reading)).toBeUndefined();
    expect(cluster.requests.filter(({ path }) => path.includes('/sa'))).toEqual([]);
  });

  describe('at a registry', () => {
    let registry: FakeRegistry;
    beforeEach(async () => {
      registry = await startFakeRegistry({ auth: { kind: 'basic', users: { me: 'p' } } });
      storeDockerImage(registry, 'some/image:1');
    });
    afterEach(() => registry.close());

    it.each([
      ['sa', 'of its Secrets there is no ns/gone, ns/lost'],
      ['nobody', 'ServiceAccount ns/nobody does not exist'],
    ])('that are missing are named when the registry asks for them: %s', async (serviceAccount, missing) => {
      put('ServiceAccount', 'sa', { secrets: [{ name: 'gone' }], imagePullSecrets: [{ name: 'lost' }] });
      const account = { namespace: 'ns', serviceAccount };
      const client = await accountRegistries({ transport: openTransport })(cluster.kube, account, opening);
      await expect(client.getManifest(parseTag(`${registry.host}/some/image:1`))).rejects.toThrow(
        `(no credential is known for ${registry.host}: ${missing})`,
      );
    });

    it('04#68 are read once a pass however often its registries are asked for', async () => {
      put('ServiceAccount', 'sa', { secrets: [{ name: 'own' }] });
      putLogin('own', { auths: { [registry.host]: { username: 'me', password: 'p' } } });
      const open = accountRegistries({ transport: openTransport });
      const account = { namespace: 'ns', serviceAccount: 'sa' };
      const opened = await Promise.all([open(cluster.kube, account, opening), open(cluster.kube, account, opening)]);
      for (const client of opened) await client.getManifest(parseTag(`${registry.host}/some/image:1`));
      expect(cluster.requests).toHaveLength(2);
    });
  });
});
