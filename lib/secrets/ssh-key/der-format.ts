/** Keys as OpenSSL writes them: PKCS#8 (RFC 5208, RFC 8410), PKCS#1 (RFC 8017 A.1.2) and SEC1 (RFC 5915). */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { type KeyParts, otherKind, pointOfSeed, sshCurve } from './parts.ts';
import { damaged } from './wire.ts';

const forms = { 'PRIVATE KEY': 'pkcs8', 'RSA PRIVATE KEY': 'pkcs1', 'EC PRIVATE KEY': 'sec1' } as const;

/** What a block may be called that is read here. */
export const isDerLabel = (label: string): label is keyof typeof forms => Object.hasOwn(forms, label);

/** OID 1.3.101.112 as an algorithm, then the octet string within an octet string. What follows (a public half, RFC 5958) OpenSSL refuses. */
const ed25519Algorithm = Buffer.from('300506032b6570', 'hex');

const seedIn = (bytes: Buffer): Buffer | undefined => {
  const at = bytes.subarray(0, 32).indexOf(ed25519Algorithm);
  const inner = at < 0 ? undefined : bytes.subarray(at + ed25519Algorithm.length);
  const isSeed = inner?.subarray(0, 4).equals(Buffer.from('04220420', 'hex')) === true && inner.length >= 36;
  return isSeed ? inner.subarray(4, 36) : undefined;
};

const opened = (bytes: Buffer, type: 'pkcs1' | 'pkcs8' | 'sec1'): KeyObject => {
  try {
    return createPrivateKey({ key: bytes, format: 'der', type });
  } catch {
    // The library's own sentence is about its decoders.
    throw damaged();
  }
};

const numbersOf = (key: KeyObject): ((name: 'd' | 'e' | 'n' | 'p' | 'q' | 'qi' | 'x' | 'y') => Buffer) => {
  const jwk = key.export({ format: 'jwk' });
  return (name) => Buffer.from(jwk[name] ?? '', 'base64url');
};

/** Parts of the key in a block of that label. @throws KeyFault */
export const readDer = (label: keyof typeof forms, bytes: Buffer): KeyParts => {
  const seed = label === 'PRIVATE KEY' ? seedIn(bytes) : undefined;
  if (seed !== undefined) return { kind: 'ed25519', seed, point: pointOfSeed(seed) };
  const key = opened(bytes, forms[label]);
  if (key.asymmetricKeyType === 'rsa') {
    const of = numbersOf(key);
    return { kind: 'rsa', n: of('n'), e: of('e'), d: of('d'), p: of('p'), q: of('q'), iqmp: of('qi') };
  }
  if (key.asymmetricKeyType === 'ec') {
    const curve = sshCurve(key.asymmetricKeyDetails?.namedCurve ?? '');
    const of = numbersOf(key);
    return { kind: 'ecdsa', curve, d: of('d'), point: Buffer.concat([Buffer.of(4), of('x'), of('y')]) };
  }
  throw otherKind(`of type ${key.asymmetricKeyType ?? 'unknown'}`);
};
