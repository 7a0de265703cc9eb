/**
 * Files of PuTTY, versions 1 to 3. Source: PuTTY manual, appendix C "PPK file format". Their MAC is not asked for: it also covers a comment that
 * copying may have changed, and whether the numbers belong together is looked at anyway.
 */
import { encrypted } from './openssh-format.ts';
import { type KeyParts, otherKind, sshCurve } from './parts.ts';
import { damaged, KeyFault, wireReader } from './wire.ts';

/** What such a file begins with. */
export const puttyHeader = 'PuTTY-User-Key-File-';

const header = /^PuTTY-User-Key-File-[123]:[ \t]*(\S+)$/u;
const base64 = /^[A-Za-z0-9+/]*={0,2}$/u;
const mostLines = 1000;

/** The bytes of a block that begins with how many lines it has. */
const blockNamed = (name: string, lines: readonly string[]): Buffer => {
  const at = lines.findIndex((line) => line.startsWith(`${name}-Lines:`));
  const count = Number(lines[at]?.slice(`${name}-Lines:`.length).trim());
  if (at < 0 || !Number.isInteger(count) || count < 1 || count > mostLines) throw damaged();
  const block = lines.slice(at + 1, at + 1 + count);
  if (block.length < count || !block.every((line) => base64.test(line))) throw damaged();
  return Buffer.from(block.join(''), 'base64');
};

/** PuTTY writes the seed as a number, the lowest byte first, without the zeros at its end. */
const seedOf = (number: Buffer): Buffer => {
  if (number.length > 32) throw damaged();
  return Buffer.concat([number, Buffer.alloc(32 - number.length)]);
};

const partsOf = (type: string, publicBlob: Buffer, privateBlob: Buffer): KeyParts => {
  const [open, secret] = [wireReader(publicBlob), wireReader(privateBlob)];
  if (open.text() !== type) throw damaged();
  if (type === 'ssh-rsa') {
    const [e, n] = [open.number(), open.number()];
    const [d, p, q, iqmp] = [secret.number(), secret.number(), secret.number(), secret.number()];
    return { kind: 'rsa', n, e, d, p, q, iqmp };
  }
  if (type === 'ssh-ed25519') return { kind: 'ed25519', point: open.string(), seed: seedOf(secret.string()) };
  if (type.startsWith('ecdsa-sha2-')) {
    const curve = sshCurve(open.text());
    return { kind: 'ecdsa', curve, point: open.string(), d: secret.number() };
  }
  throw otherKind(type === 'ssh-dss' ? 'of DSA' : 'of another kind than RSA, ECDSA and Ed25519');
};

/** Parts of the key in a text that begins with `puttyHeader`. @throws KeyFault, for an encrypted one too */
export const readPutty = (text: string): KeyParts => {
  const lines = text.split(/\r\n|\r|\n/u).map((line) => line.trim());
  const type = header.exec(lines[0] ?? '')?.[1];
  if (type === undefined)
    throw new KeyFault('is a file of a newer PuTTY than is known here: export it as an OpenSSH key');
  const encryption = lines.find((line) => line.startsWith('Encryption:'))?.slice('Encryption:'.length);
  if (encryption === undefined) throw damaged();
  if (encryption.trim() !== 'none') throw encrypted();
  return partsOf(type, blockNamed('Public', lines), blockNamed('Private', lines));
};
