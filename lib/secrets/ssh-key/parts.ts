/** The numbers that a private key is made of, whatever file they came in, and whether they belong together. */
import { createECDH, createPrivateKey, createPublicKey } from 'node:crypto';
import { damaged, KeyFault, withoutZeros } from './wire.ts';

/** RSA (RFC 8017 §3.2): big-endian numbers. `iqmp` is the inverse of q modulo p. */
export interface RsaParts {
  readonly kind: 'rsa';
  readonly n: Buffer;
  readonly e: Buffer;
  readonly d: Buffer;
  readonly p: Buffer;
  readonly q: Buffer;
  readonly iqmp: Buffer;
}

/** ECDSA over a curve that ssh knows (RFC 5656 §10.1); `point` is uncompressed. */
export interface EcdsaParts {
  readonly kind: 'ecdsa';
  readonly curve: SshCurve;
  readonly point: Buffer;
  readonly d: Buffer;
}

/** Ed25519 (RFC 8032 §5.1.5): 32 bytes each. */
export interface Ed25519Parts {
  readonly kind: 'ed25519';
  readonly seed: Buffer;
  readonly point: Buffer;
}

export type KeyParts = EcdsaParts | Ed25519Parts | RsaParts;

const curves = { nistp256: 'prime256v1', nistp384: 'secp384r1', nistp521: 'secp521r1' } as const;

/** A curve by ssh's name. */
export type SshCurve = keyof typeof curves;

/** The curve of that name. @throws KeyFault for another */
export const sshCurve = (name: string): SshCurve => {
  const found = (Object.keys(curves) as SshCurve[]).find((curve) => curve === name || curves[curve] === name);
  if (found === undefined) throw otherKind('of another curve than nistp256, nistp384 and nistp521');
  return found;
};

/** A key that hosts would not take. `what` continues `is a key `. */
export const otherKind = (what: string): KeyFault =>
  new KeyFault(`is a key ${what}, which cannot be used here: make one with ssh-keygen -t ed25519`);

/** OpenSSH takes no others. */
const [fewestRsaBits, mostRsaBits] = [1024, 16_384];

const big = (number: Buffer): bigint => (number.length === 0 ? 0n : BigInt(`0x${number.toString('hex')}`));

const bitsOf = (number: Buffer): number => big(number).toString(2).length;

const checkRsa = (parts: RsaParts): void => {
  const bits = bitsOf(parts.n);
  if (bits < fewestRsaBits || bits > mostRsaBits) throw otherKind(`of RSA with ${bits} bits`);
  const [n, e, d, p, q, iqmp] = [parts.n, parts.e, parts.d, parts.p, parts.q, parts.iqmp].map(big) as [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  if (p < 3n || q < 3n || d >= n || e >= n || n % (p * q) !== 0n) throw damaged();
  // RFC 8017 §3.2 knows such keys, and ssh's files have no room for the other primes.
  if (p * q !== n) throw otherKind('of RSA with more than two primes');
  const fits = (e * d) % (p - 1n) === 1n && (e * d) % (q - 1n) === 1n && (iqmp * q) % p === 1n;
  if (!fits) throw damaged();
};

const pointOfEcdsa = ({ curve, d }: EcdsaParts): Buffer => {
  try {
    const half = createECDH(curves[curve]);
    half.setPrivateKey(d);
    return half.getPublicKey();
  } catch {
    throw damaged();
  }
};

/** Beginning of a PKCS#8 file of Ed25519 (RFC 8410 §7); the seed follows. */
const ed25519Header = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The public half of a seed. @throws KeyFault when it is no seed */
export const pointOfSeed = (seed: Buffer): Buffer => {
  if (seed.length !== 32) throw damaged();
  const key = createPrivateKey({ key: Buffer.concat([ed25519Header, seed]), format: 'der', type: 'pkcs8' });
  return Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x ?? '', 'base64url');
};

/** The same parts, once they are known to belong together: what is written from them no program refuses. @throws KeyFault */
export const checkedParts = (parts: KeyParts): KeyParts => {
  if (parts.kind === 'rsa') {
    checkRsa(parts);
    return parts;
  }
  const point = parts.kind === 'ecdsa' ? pointOfEcdsa(parts) : pointOfSeed(parts.seed);
  if (!point.equals(parts.point)) throw damaged();
  return parts.kind === 'ecdsa' ? { ...parts, d: withoutZeros(parts.d) } : parts;
};
