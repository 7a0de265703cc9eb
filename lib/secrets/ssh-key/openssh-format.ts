/** OpenSSH's own file of a private key, the one form that OpenSSH and the ssh library both take. Source: OpenSSH PROTOCOL.key. */
import { createHash } from 'node:crypto';
import { type KeyParts, otherKind, sshCurve } from './parts.ts';
import { damaged, KeyFault, packed, packedNumber, packedUint32, type WireReader, wireReader } from './wire.ts';

const magic = Buffer.from('openssh-key-v1\0', 'latin1');

/** What is said of every key that has a passphrase, whatever file it is in. */
export const encrypted = (): KeyFault =>
  new KeyFault('is encrypted, which nobody here has the passphrase for: put it there without one (ssh-keygen -p)');

const readRsa = (wire: WireReader): KeyParts => {
  const [n, e, d, iqmp, p, q] = [
    wire.number(),
    wire.number(),
    wire.number(),
    wire.number(),
    wire.number(),
    wire.number(),
  ];
  return { kind: 'rsa', n, e, d, iqmp, p, q };
};

const readEd25519 = (wire: WireReader): KeyParts => {
  const [point, pair] = [wire.string(), wire.string()];
  if (pair.length !== 64) throw damaged();
  return { kind: 'ed25519', seed: pair.subarray(0, 32), point };
};

const readParts = (wire: WireReader): KeyParts => {
  const type = wire.text();
  if (type === 'ssh-rsa') return readRsa(wire);
  if (type === 'ssh-ed25519') return readEd25519(wire);
  if (type.startsWith('ecdsa-sha2-')) {
    const curve = sshCurve(wire.text());
    return { kind: 'ecdsa', curve, point: wire.string(), d: wire.number() };
  }
  if (type.startsWith('sk-')) throw otherKind('on a security key, without which nothing can be signed');
  throw otherKind(type === 'ssh-dss' ? 'of DSA' : 'of another kind than RSA, ECDSA and Ed25519');
};

/** Parts of the one key in the file. @throws KeyFault, for an encrypted one too */
export const readOpenssh = (bytes: Buffer): KeyParts => {
  const outer = wireReader(bytes);
  if (bytes.length < magic.length || !outer.take(magic.length).equals(magic)) throw damaged();
  const [cipher, derivation] = [outer.text(), outer.text()];
  if (cipher !== 'none' || derivation !== 'none') throw encrypted();
  outer.string();
  if (outer.uint32() !== 1) throw new KeyFault('holds several keys: leave one');
  outer.string();
  const inner = wireReader(outer.string());
  if (inner.uint32() !== inner.uint32()) throw damaged();
  return readParts(inner);
};

const typeOf = (parts: KeyParts): string => {
  if (parts.kind === 'ecdsa') return `ecdsa-sha2-${parts.curve}`;
  return parts.kind === 'rsa' ? 'ssh-rsa' : 'ssh-ed25519';
};

const publicHalf = (parts: KeyParts): readonly Buffer[] => {
  if (parts.kind === 'rsa') return [packedNumber(parts.e), packedNumber(parts.n)];
  return parts.kind === 'ecdsa' ? [packed(parts.curve), packed(parts.point)] : [packed(parts.point)];
};

const privateHalf = (parts: KeyParts): readonly Buffer[] => {
  switch (parts.kind) {
    case 'rsa':
      return [parts.n, parts.e, parts.d, parts.iqmp, parts.p, parts.q].map(packedNumber);
    case 'ecdsa':
      return [packed(parts.curve), packed(parts.point), packedNumber(parts.d)];
    case 'ed25519':
      return [packed(parts.point), packed(Buffer.concat([parts.seed, parts.point]))];
  }
};

const blockBytes = 8;

/** The file, without comment and passphrase. The same key gives the same text. */
export const writeOpenssh = (parts: KeyParts): string => {
  const type = packed(typeOf(parts));
  const open = Buffer.concat([type, ...publicHalf(parts)]);
  const secret = Buffer.concat([type, ...privateHalf(parts), packed('')]);
  // Two equal numbers by which a reader sees that it has decrypted well; without encryption any will do.
  const check = createHash('sha256').update(secret).digest().subarray(0, 4);
  const missing = (blockBytes - ((2 * check.length + secret.length) % blockBytes)) % blockBytes;
  const padding = Buffer.from(Array.from({ length: missing }, (_, index) => index + 1));
  const none = packed('none');
  const body = Buffer.concat([
    magic,
    none,
    none,
    packed(''),
    packedUint32(1),
    packed(open),
    packed(Buffer.concat([check, check, secret, padding])),
  ]).toString('base64');
  const lines = body.match(/.{1,70}/gu) ?? [];
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n');
};
