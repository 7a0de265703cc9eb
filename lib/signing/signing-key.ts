/** Which private keys sign, however they are kept. */
import { createPrivateKey, type KeyObject } from 'node:crypto';

/** The curves cosign knows. A curve that a key brings along itself is none of them. */
const curves: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);
/** Twice the longest in use. The time of a signature grows with the cube of it, and nobody else is served meanwhile. */
const mostModulusBits = 8192;
/** An RSA key of 8192 bits takes 4.7 KB; exponents much longer than their modulus would take the time of a longer key. */
const mostBytes = 6 * 1024;

/** Why a key cannot sign; goes on after "the key". */
export type UnusableBecause = string;

const objection = ({
  asymmetricKeyType: type,
  asymmetricKeyDetails: details = {},
}: KeyObject): UnusableBecause | undefined => {
  switch (type) {
    case 'ed25519':
      return undefined;
    case 'ec':
      return curves.has(details.namedCurve ?? '') ? undefined : 'is of a curve other than P-256, P-384 and P-521';
    case 'rsa':
      return (details.modulusLength ?? 0) <= mostModulusBits ? undefined : `has more than ${mostModulusBits} bits`;
    default:
      return `is of type ${type}; RSA, ECDSA and Ed25519 can sign`;
  }
};

/** The key in the bytes of PKCS#8, or why it cannot be used; never with any of its content, which the platform's own error may quote. */
export const signingKeyIn = (der: Uint8Array): KeyObject | UnusableBecause => {
  if (der.byteLength > mostBytes) return `has more than ${mostBytes} bytes`;
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
  } catch {
    return 'holds no PKCS#8 private key';
  }
  return objection(key) ?? key;
};
