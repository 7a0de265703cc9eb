/** Opens unencrypted private keys in PKCS#8, as Secrets of type `kubernetes.io/ssh-auth` may hold them (spec 03 §19.1). */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { PermanentError } from '../errors/expected.ts';

const unusable = (why: string): PermanentError => new PermanentError('SigningKeyUnusable', `the PKCS#8 key ${why}`);

/** Longest key file we look at, in characters. */
const longest = 64 * 1024;

/** The private key: RSA, ECDSA or Ed25519. @throws PermanentError for anything else; never with any of its content. */
export const openPkcs8Key = (pem: string): KeyObject => {
  if (pem.length > longest || !/^\s*-----BEGIN PRIVATE KEY-----/.test(pem))
    throw unusable('is no unencrypted "PRIVATE KEY" in PEM; make one with `openssl pkcs8 -topk8 -nocrypt`');
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: pem, format: 'pem' });
  } catch {
    // The cause may quote the key.
    throw unusable('cannot be read');
  }
  if (!['rsa', 'ec', 'ed25519'].includes(key.asymmetricKeyType ?? ''))
    throw unusable(`is of type ${key.asymmetricKeyType}; RSA, ECDSA and Ed25519 can sign`);
  return key;
};
