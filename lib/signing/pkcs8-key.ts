/** Opens unencrypted private keys in PKCS#8, as Secrets of type `kubernetes.io/ssh-auth` may hold them (spec 03 §19.1). */
import type { KeyObject } from 'node:crypto';
import { PermanentError } from '../errors/expected.ts';
import { readPem } from '../text/pem.ts';
import { signingKeyIn } from './signing-key.ts';

const unusable = (why: string): PermanentError => new PermanentError('SigningKeyUnusable', `the PKCS#8 key ${why}`);

/** Longest key file we look at, in characters. */
const longest = 64 * 1024;

/** The private key: RSA, ECDSA or Ed25519. @throws PermanentError for anything else; never with any of its content. */
export const openPkcs8Key = (pem: string): KeyObject => {
  const block = readPem(pem, longest);
  if (block?.label !== 'PRIVATE KEY')
    throw unusable('is no unencrypted "PRIVATE KEY" in PEM; make one with `openssl pkcs8 -topk8 -nocrypt`');
  const key = signingKeyIn(block.bytes);
  if (typeof key === 'string') throw unusable(key);
  return key;
};
