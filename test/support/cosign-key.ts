/** Makes key files of the kind `cosign generate-key-pair` writes (spec 03 §17.2). */
import { generateKeyPairSync, type KeyObject, randomBytes, scryptSync } from 'node:crypto';
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';

export type KeyType = 'ec' | 'ed25519' | 'rsa';

export interface CosignKeyPair {
  /** Content of `cosign.key`. */
  readonly pem: string;
  readonly publicKey: KeyObject;
}

const generated = (type: KeyType): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } => {
  if (type === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  return type === 'ec' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
};

export interface CosignKeyOptions {
  readonly type?: KeyType;
  readonly label?: string;
  readonly N?: number;
  /** What is encrypted; a fresh private key unless given. */
  readonly der?: Uint8Array;
}

/** A key of this type under this password. */
export const cosignKey = (
  password: string,
  { type = 'ec', label = 'ENCRYPTED SIGSTORE PRIVATE KEY', N = 32768, der }: CosignKeyOptions = {},
): CosignKeyPair => {
  const { privateKey, publicKey } = generated(type);
  const salt = randomBytes(32);
  const nonce = randomBytes(24);
  const secret = scryptSync(password, salt, 32, { N, r: 8, p: 1, maxmem: 1 << 30 });
  const content = der ?? privateKey.export({ format: 'der', type: 'pkcs8' });
  const file = {
    kdf: { name: 'scrypt', params: { N, r: 8, p: 1 }, salt: salt.toString('base64') },
    cipher: { name: 'nacl/secretbox', nonce: nonce.toString('base64') },
    ciphertext: Buffer.from(xsalsa20poly1305(secret, nonce).encrypt(content)).toString('base64'),
  };
  const body = Buffer.from(JSON.stringify(file)).toString('base64').replace(/.{64}/g, '$&\n');
  return { pem: `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`, publicKey };
};
