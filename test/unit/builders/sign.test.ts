import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { signBuilder } from '../../../lib/builders/sign.ts';
import { openRegistry } from '../../../lib/oci/client.ts';
import { digestOf, hexOf } from '../../../lib/oci/digest.ts';
import { parseReference, withDigest } from '../../../lib/oci/reference.ts';
import { type BuilderWorld, builderWorld } from '../../support/builder-world.ts';
import { cosignKey } from '../../support/cosign-key.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const digest = digestOf('builder');

describe('signing a builder', () => {
  let world: BuilderWorld;

  const putSecret = (
    name: string,
    data: Readonly<Record<string, string>>,
    annotations: Readonly<Record<string, string>> = {},
  ): void => {
    const encoded = Object.fromEntries(Object.entries(data).map(([key, text]) => [key, base64(text)]));
    world.put('Secret', name, { data: encoded }, { annotations });
  };
  const putAccount = (...secrets: readonly string[]): void =>
    world.put('ServiceAccount', 'builder', { secrets: secrets.map((name) => ({ name })) });
  const sign = () =>
    signBuilder(
      world.cluster.kube,
      { namespace: 'ns', serviceAccount: 'builder' },
      openRegistry(),
      withDigest(parseReference(`${world.registry.host}/builders/my:1`), digest),
      AbortSignal.timeout(20_000),
    );
  const tag = `sha256-${hexOf(digest)}.sig`;

  beforeEach(async () => {
    world = await builderWorld();
  });
  afterEach(() => world.registry.close());

  it('04#94 does nothing for an account without keys', async () => {
    putAccount('gone', 'generic');
    putSecret('generic', { password: 'x' });
    expect(await sign()).toEqual([]);
    expect(world.registry.requests).toEqual([]);
  });

  it('04#97 04#99 signs with each key that has a password, even an empty one, and says where', async () => {
    putAccount('one', 'no-password', 'two');
    putSecret('one', { 'cosign.key': cosignKey('secret').pem, 'cosign.password': 'secret' });
    putSecret('no-password', { 'cosign.key': cosignKey('').pem });
    putSecret('two', { 'cosign.key': cosignKey('').pem, 'cosign.password': '' });
    const signatures = await sign();
    expect(signatures.map(({ signingSecret }) => signingSecret)).toEqual(['k8s://ns/one', 'k8s://ns/two']);
    const last = world.registry.store.repository('builders/my').tags.get(tag);
    expect(signatures.at(-1)?.targetDigest).toBe(`${world.registry.host}/builders/my@${last}`);
  });

  it('04#98 puts the signature where the Secret says', async () => {
    putAccount('key');
    putSecret(
      'key',
      { 'cosign.key': cosignKey('').pem, 'cosign.password': '' },
      { 'kpack.io/cosign.repository': `${world.registry.host}/signatures`, 'kpack.io/cosign.docker-media-types': '1' },
    );
    const [signature] = await sign();
    expect(signature?.targetDigest).toContain(`${world.registry.host}/signatures@sha256:`);
    const { tags, manifests } = world.registry.store.repository('signatures');
    expect(manifests.get(tags.get(tag) ?? '')?.mediaType).toContain('docker');
  });

  it('04#100 does not sign twice what a key has signed', async () => {
    putAccount('key');
    putSecret('key', { 'cosign.key': cosignKey('').pem, 'cosign.password': '' });
    expect(await sign()).toEqual(await sign());
  });

  it('04#95 names the Secret whose key cannot be opened, and looks again', async () => {
    putAccount('key');
    putSecret('key', { 'cosign.key': cosignKey('right').pem, 'cosign.password': 'wrong' });
    await expect(sign()).rejects.toMatchObject({
      pace: 'slow',
      message: expect.stringContaining(
        'unable to sign image with specified key from secret key in namespace ns: ',
      ) as unknown,
    });
  });
});
