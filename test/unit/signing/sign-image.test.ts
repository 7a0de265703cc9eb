import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toMessageSignatureBundle } from '@sigstore/bundle';
import { toSignedEntity, Verifier } from '@sigstore/verify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRegistry } from '../../../lib/oci/client.ts';
import { type Digest, digestOf } from '../../../lib/oci/digest.ts';
import { parseReference, parseRepository, withDigest } from '../../../lib/oci/reference.ts';
import { openCosignKey } from '../../../lib/signing/cosign-key.ts';
import { signImage } from '../../../lib/signing/sign-image.ts';
import { signatureTag, signingPayload } from '../../../lib/signing/simple-signing.ts';
import { cosignKey } from '../../support/cosign-key.ts';
import { type FakeRegistry, startFakeRegistry } from '../../support/fake-registry.ts';

/** Opening a key is slow on purpose: once for all tests. */
const { pem: sealed, publicKey } = cosignKey('a');
const key = await openCosignKey(sealed, 'a');

let registry: FakeRegistry;
beforeEach(async () => {
  registry = await startFakeRegistry();
});
afterEach(async () => await registry.close());

const digest: Digest = digestOf('app');
const image = () => withDigest(parseReference(`${registry.host}/team/app:1`), digest);
const annotations = new Map([
  ['buildTimestamp', '20260101.000000'],
  ['buildNumber', '1'],
]);

interface Manifest {
  readonly mediaType: string;
  readonly config: { readonly mediaType: string };
  readonly layers: readonly {
    readonly digest: Digest;
    readonly size: number;
    readonly annotations: Record<string, string>;
  }[];
}
const stored = async (repository: string): Promise<Manifest> => {
  const { bytes } = await openRegistry().getManifest(signatureTag(digest, parseRepository(repository)));
  return JSON.parse(new TextDecoder().decode(bytes)) as Manifest;
};

describe('the signed payload', () => {
  it('names repository and digest, and holds sorted annotations or null', () => {
    const named = withDigest(parseReference('busybox'), digest);
    expect(new TextDecoder().decode(signingPayload(named, annotations))).toBe(
      `{"critical":{"identity":{"docker-reference":"index.docker.io/library/busybox"},"image":{"docker-manifest-digest":"${digest}"},"type":"cosign container image signature"},"optional":{"buildNumber":"1","buildTimestamp":"20260101.000000"}}`,
    );
    expect(new TextDecoder().decode(signingPayload(named, new Map()))).toContain('"optional":null');
  });
});

describe('signing an image', () => {
  it('03#161 puts one signature per key beside the image, and openssl verifies them', async () => {
    const pairs = [{ pem: sealed, publicKey }, cosignKey('b', { type: 'rsa' })];
    for (const [index, { pem }] of pairs.entries()) {
      const opened = index === 0 ? key : await openCosignKey(pem, 'b');
      await signImage(openRegistry(), { image: image(), key: opened, annotations });
    }
    const { layers, mediaType } = await stored(`${registry.host}/team/app`);
    expect(mediaType).toBe('application/vnd.oci.image.manifest.v1+json');
    expect(layers).toHaveLength(2);
    const folder = await mkdtemp(join(tmpdir(), 'kpackless-sign-'));
    for (const [index, layer] of layers.entries()) {
      const payload = await openRegistry().readBlob(parseRepository(`${registry.host}/team/app`), layer);
      await writeFile(join(folder, 'payload'), payload);
      await writeFile(
        join(folder, 'sig'),
        Buffer.from(layer.annotations['dev.cosignproject.cosign/signature'] ?? '', 'base64'),
      );
      await writeFile(join(folder, 'pub'), pairs[index]?.publicKey.export({ format: 'pem', type: 'spki' }) ?? '');
      const args = ['dgst', '-sha256', '-verify', 'pub', '-signature', 'sig', 'payload'];
      expect(execFileSync('openssl', args, { cwd: folder, encoding: 'utf8' })).toContain('Verified OK');
    }
    await rm(folder, { recursive: true });
  });

  it('makes signatures that sigstore’s own verifier accepts for the payload and refuses for any other', async () => {
    await signImage(openRegistry(), { image: image(), key, annotations });
    const [layer] = (await stored(`${registry.host}/team/app`)).layers;
    if (layer === undefined) throw new Error('nothing was signed');
    const payload = Buffer.from(await openRegistry().readBlob(parseRepository(`${registry.host}/team/app`), layer));
    const signature = Buffer.from(layer.annotations['dev.cosignproject.cosign/signature'] ?? '', 'base64');
    const bundle = toMessageSignatureBundle({
      digest: createHash('sha256').update(payload).digest(),
      signature,
      keyHint: 'k',
    });
    const verifier = new Verifier(
      {
        certificateAuthorities: [],
        timestampAuthorities: [],
        tlogs: [],
        ctlogs: [],
        publicKey: () => ({ publicKey, validFor: () => true }),
      },
      { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 },
    );
    expect(verifier.verify(toSignedEntity(bundle, payload)).key).toBeDefined();
    const another = Buffer.from(String(payload).replace(digest, digestOf('another')));
    expect(() => verifier.verify(toSignedEntity(bundle, another))).toThrow('signature');
  });

  it('is refused where the tag holds something else, whatever that is', async () => {
    for (const bytes of ['', '{', '[]', 'null', '{"layers":3}', '{"layers":[{"digest":"x"}]}']) {
      registry.store.putManifest(
        'team/app',
        'application/vnd.oci.image.manifest.v1+json',
        Buffer.from(bytes),
        `sha256-${digest.slice(7)}.sig`,
      );
      await expect(signImage(openRegistry(), { image: image(), key, annotations })).rejects.toMatchObject({
        code: 'invalid-content',
      });
    }
  });

  it('does not sign again what the same key has signed', async () => {
    const first = await signImage(openRegistry(), { image: image(), key, annotations });
    expect(await signImage(openRegistry(), { image: image(), key, annotations })).toBe(first);
    await signImage(openRegistry(), { image: image(), key, annotations: new Map([['buildNumber', '2']]) });
    expect((await stored(`${registry.host}/team/app`)).layers).toHaveLength(2);
  });

  it('03#163 puts the signature into another repository, with Docker types, when told so', async () => {
    const repository = parseRepository(`${registry.host}/signatures`);
    await signImage(openRegistry(), { image: image(), key, annotations, repository, dockerMediaTypes: true });
    const { mediaType, config } = await stored(`${registry.host}/signatures`);
    expect(mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json');
    expect(config.mediaType).toBe('application/vnd.docker.container.image.v1+json');
  });
});
