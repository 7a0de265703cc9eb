import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { bundleFromJSON } from '@sigstore/bundle';
import { toSignedEntity, Verifier } from '@sigstore/verify';
import { describe, expect, it } from 'vitest';
import { PermanentError } from '../../../lib/errors/expected.ts';
import { preAuthenticationEncoding, sealEnvelope } from '../../../lib/signing/dsse.ts';
import { openPkcs8Key } from '../../../lib/signing/pkcs8-key.ts';
import { isSignedBy } from '../../../lib/signing/signature.ts';

const type = 'application/vnd.in-toto+json';
const payload = Buffer.from('{"a":"ü"}');

interface Envelope {
  readonly payloadType: string;
  readonly payload: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}
const parsed = (bytes: Uint8Array): Envelope => JSON.parse(Buffer.from(bytes).toString('utf8')) as Envelope;

const pairs = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ed25519: generateKeyPairSync('ed25519'),
} as const;
const pkcs8 = (key: KeyObject): string => key.export({ format: 'pem', type: 'pkcs8' }).toString();

describe('an envelope', () => {
  it('signs type and content, each with its length in bytes', () => {
    expect(preAuthenticationEncoding(type, payload).toString('utf8')).toBe(`DSSEv1 28 ${type} 10 {"a":"ü"}`);
    expect(preAuthenticationEncoding('ä', new Uint8Array()).toString('utf8')).toBe('DSSEv1 2 ä 0 ');
  });

  it('03#168 without keys has an empty list of signatures', () => {
    expect(parsed(sealEnvelope(type, payload, []))).toEqual({
      payloadType: type,
      payload: payload.toString('base64'),
      signatures: [],
    });
  });

  it.each(['rsa', 'ec', 'ed25519'] as const)('03#187 signed with an %s key in PKCS#8 verifies', (kind) => {
    const { publicKey, privateKey } = pairs[kind];
    const sealed = sealEnvelope(type, payload, [{ keyId: 'k', key: openPkcs8Key(pkcs8(privateKey)) }]);
    const { signatures } = parsed(sealed);
    expect(signatures.map(({ keyid }) => keyid)).toEqual(['k']);
    const signature = Buffer.from(signatures[0]?.sig ?? '', 'base64');
    expect(isSignedBy(preAuthenticationEncoding(type, payload), signature, publicKey)).toBe(true);
    expect(isSignedBy(preAuthenticationEncoding('text/plain', payload), signature, publicKey)).toBe(false);
  });

  it.each(['rsa', 'ec'] as const)('signed with an %s key is accepted by sigstore, and by no other key', (kind) => {
    const bundle = bundleFromJSON({
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: {
        publicKey: { hint: 'k' },
        tlogEntries: [],
        timestampVerificationData: { rfc3161Timestamps: [] },
      },
      dsseEnvelope: parsed(sealEnvelope(type, payload, [{ keyId: 'k', key: pairs[kind].privateKey }])),
    });
    const verify = (publicKey: KeyObject) =>
      new Verifier(
        {
          certificateAuthorities: [],
          timestampAuthorities: [],
          tlogs: [],
          ctlogs: [],
          publicKey: () => ({ publicKey, validFor: () => true }),
        },
        { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 },
      ).verify(toSignedEntity(bundle));
    expect(verify(pairs[kind].publicKey).key).toBe(pairs[kind].publicKey);
    expect(() => verify(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)).toThrow('signature');
  });
});

describe('a key in PKCS#8', () => {
  it.each([
    [
      '03#187 that is nonsense',
      '-----BEGIN PRIVATE KEY-----\nbm9uc2Vuc2U=\n-----END PRIVATE KEY-----\n',
      'holds no PKCS#8 private key',
    ],
    ['that is no PEM', 'nonsense', 'is no unencrypted'],
    ['in another form', pairs.rsa.privateKey.export({ format: 'pem', type: 'pkcs1' }).toString(), 'is no unencrypted'],
    [
      'that is encrypted',
      pairs.ec.privateKey
        .export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'secret' })
        .toString(),
      'is no unencrypted',
    ],
    ['that cannot sign', pkcs8(generateKeyPairSync('x25519').privateKey), 'is of type x25519'],
    ['of endless length', `-----BEGIN PRIVATE KEY-----\n${'A'.repeat(70_000)}`, 'is no unencrypted'],
  ])('%s is refused without a word of its content', (_, pem, message) => {
    expect(() => openPkcs8Key(pem)).toThrow(PermanentError);
    expect(() => openPkcs8Key(pem)).toThrow(message);
  });
});
