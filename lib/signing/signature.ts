/** Signs bytes the way cosign does for each kind of key (spec 03 §17.2). */
import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';

/** RSA PKCS#1 v1.5 and ECDSA (DER) over SHA-256; Ed25519 over the bytes themselves. */
export function signatureOf(content: Uint8Array, key: KeyObject): Buffer {
  return sign(digestFor(key), content, key);
}

/** Was it this key (private or public) that signed these bytes? */
export function isSignedBy(content: Uint8Array, signature: Uint8Array, key: KeyObject): boolean {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return verify(digestFor(key), content, publicKey, signature);
}

function digestFor({ asymmetricKeyType }: KeyObject): string | null {
  return asymmetricKeyType === 'ed25519' ? null : 'sha256';
}
